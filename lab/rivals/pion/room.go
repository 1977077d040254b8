// A room as Pion's users write one: everybody sends, everybody gets what the others send, each packet handed on as it came.
// Of pictures in several sizes, who watches gets the size that was asked for at the beginning, and that one only.
// See ../../bench/src/beside/room.rs.
package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/stdnet"
	"github.com/pion/webrtc/v4"
)

type room struct {
	api    *webrtc.API
	lock   sync.Mutex
	tracks map[string]*webrtc.TrackLocalStaticRTP
	peers  []*webrtc.PeerConnection
}

// Key frames are asked for this often, as nobody's wishes for one are heard.
const keyFrames = 3 * time.Second

// What a track is known by: whose it is, and which size; sound has none.
func named(who, rid string) string { return who + ":" + rid }

func (one *room) take(peer *webrtc.PeerConnection, who string, remote *webrtc.TrackRemote) {
	local, err := webrtc.NewTrackLocalStaticRTP(remote.Codec().RTPCodecCapability, remote.Kind().String(), who)
	if err != nil {
		return
	}
	one.lock.Lock()
	one.tracks[named(who, remote.RID())] = local
	one.lock.Unlock()
	if remote.Kind() == webrtc.RTPCodecTypeVideo {
		go func() {
			for {
				loss := rtcp.PictureLossIndication{MediaSSRC: uint32(remote.SSRC())}
				if peer.WriteRTCP([]rtcp.Packet{&loss}) != nil {
					return
				}
				time.Sleep(keyFrames)
			}
		}()
	}
	buffer := make([]byte, 1500)
	packet := &rtp.Packet{}
	for {
		count, _, err := remote.Read(buffer)
		if err != nil {
			return
		}
		if packet.Unmarshal(buffer[:count]) != nil {
			continue
		}
		// Their numbers mean something else to who receives.
		packet.Extension, packet.Extensions = false, nil
		// Who is gone is no reason to stop for the others.
		_ = local.WriteRTP(packet)
	}
}

func (one *room) publish(offer, who string) (string, error) {
	peer, err := one.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", err
	}
	peer.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { one.take(peer, who, remote) })
	return one.answer(peer, offer)
}

// wanted: whose pictures in which size, with commas between them.
func (one *room) watch(offer, wanted string) (string, error) {
	peer, err := one.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", err
	}
	for _, pictures := range strings.Split(wanted, ",") {
		who, _, _ := strings.Cut(pictures, ":")
		for _, name := range []string{named(who, ""), pictures} {
			one.lock.Lock()
			track := one.tracks[name]
			one.lock.Unlock()
			if track == nil {
				return "", fmt.Errorf("nobody sends %s", name)
			}
			sender, err := peer.AddTrack(track)
			if err != nil {
				return "", err
			}
			go heed(sender)
		}
	}
	return one.answer(peer, offer)
}

func (one *room) answer(peer *webrtc.PeerConnection, offer string) (string, error) {
	text, err := answerTo(peer, offer)
	if err != nil {
		return "", err
	}
	one.lock.Lock()
	one.peers = append(one.peers, peer)
	one.lock.Unlock()
	return text, nil
}

// With as much room for what has not been read yet as the others have: what a system gives by itself does not last while
// one thread of Go's writes to twenty others.
func serveRoom(settings webrtc.SettingEngine) error {
	system, err := stdnet.NewNet()
	if err != nil {
		return err
	}
	settings.SetNet(buffered{system})
	api := webrtc.NewAPI(webrtc.WithSettingEngine(settings))
	one := &room{api: api, tracks: map[string]*webrtc.TrackLocalStaticRTP{}}
	serve := func(path, word string, answer func(offer, word string) (string, error)) {
		http.HandleFunc("POST "+path, func(response http.ResponseWriter, request *http.Request) {
			offer, err := io.ReadAll(request.Body)
			var text string
			if err == nil {
				text, err = answer(string(offer), request.URL.Query().Get(word))
			}
			if err != nil {
				http.Error(response, err.Error(), http.StatusBadRequest)
				return
			}
			response.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(response, text)
		})
	}
	serve("/room/publish", "name", one.publish)
	serve("/room/watch", "wanted", one.watch)
	return nil
}
