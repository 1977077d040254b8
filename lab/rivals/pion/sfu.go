// A forwarder as Pion's users write it: one streams in over HTTP, each who watches gets the same tracks.
// See ../../bench/src/beside.rs.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

type forwarder struct {
	api    *webrtc.API
	lock   sync.Mutex
	tracks []*webrtc.TrackLocalStaticRTP
	peers  []*webrtc.PeerConnection
}

// Hands on what comes, as it is; a key frame is asked for every three seconds.
func (one *forwarder) take(peer *webrtc.PeerConnection, remote *webrtc.TrackRemote) {
	local, err := webrtc.NewTrackLocalStaticRTP(remote.Codec().RTPCodecCapability, remote.Kind().String(), "pion")
	if err != nil {
		return
	}
	one.lock.Lock()
	one.tracks = append(one.tracks, local)
	one.lock.Unlock()
	if remote.Kind() == webrtc.RTPCodecTypeVideo {
		go func() {
			for {
				loss := rtcp.PictureLossIndication{MediaSSRC: uint32(remote.SSRC())}
				if peer.WriteRTCP([]rtcp.Packet{&loss}) != nil {
					return
				}
				time.Sleep(3 * time.Second)
			}
		}()
	}
	buffer := make([]byte, 1500)
	for {
		count, _, err := remote.Read(buffer)
		if err != nil {
			return
		}
		if _, err := local.Write(buffer[:count]); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			return
		}
	}
}

func (one *forwarder) answer(offer string, watches bool) (string, error) {
	peer, err := one.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", err
	}
	if watches {
		one.lock.Lock()
		tracks := one.tracks
		one.lock.Unlock()
		for _, track := range tracks {
			sender, err := peer.AddTrack(track)
			if err != nil {
				return "", err
			}
			go heed(sender)
		}
	} else {
		peer.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { one.take(peer, remote) })
	}
	text, err := answerTo(peer, offer)
	if err != nil {
		return "", err
	}
	one.lock.Lock()
	one.peers = append(one.peers, peer)
	one.lock.Unlock()
	return text, nil
}

// An answer with all candidates.
func answerTo(peer *webrtc.PeerConnection, offer string) (string, error) {
	if err := peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	answer, err := peer.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(peer)
	if err := peer.SetLocalDescription(answer); err != nil {
		return "", err
	}
	<-gathered
	return peer.LocalDescription().SDP, nil
}

// What is asked for again is sent again when it is read.
func heed(sender *webrtc.RTPSender) {
	buffer := make([]byte, 1500)
	for {
		if _, _, err := sender.Read(buffer); err != nil {
			return
		}
	}
}

func forward() error {
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	one := &forwarder{api: webrtc.NewAPI(webrtc.WithSettingEngine(settings))}
	for path, watches := range map[string]bool{"/whip/bench": false, "/whep/bench": true} {
		http.HandleFunc("POST "+path, func(response http.ResponseWriter, request *http.Request) {
			offer, err := io.ReadAll(request.Body)
			var answer string
			if err == nil {
				answer, err = one.answer(string(offer), watches)
			}
			if err != nil {
				http.Error(response, err.Error(), http.StatusBadRequest)
				return
			}
			response.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(response, answer)
		})
	}
	if err := serveRoom(settings); err != nil {
		return err
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://localhost:%d/\n", listener.Addr().(*net.TCPAddr).Port)
	return http.Serve(listener, nil)
}
