// Two ends that Pion makes in one process, to be measured: see ../../bench/src/peer/pion.rs for the lines.
package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
	"github.com/pion/webrtc/v4"
)

// What every stack's sockets ask for, in bytes: by default there are 208 KiB, which bursts overflow.
const receiveBuffer = 4 << 20

// The system's network, with that receive buffer.
type buffered struct{ *stdnet.Net }

func (network buffered) ListenUDP(name string, address *net.UDPAddr) (transport.UDPConn, error) {
	socket, err := network.Net.ListenUDP(name, address)
	if err != nil {
		return nil, err
	}
	return socket, socket.SetReadBuffer(receiveBuffer)
}

type pair struct {
	ends    [2]*webrtc.PeerConnection
	channel *webrtc.DataChannel
	// Bytes that have arrived at the other end.
	arrived atomic.Uint64
}

func connect(api *webrtc.API, certificate webrtc.Certificate) (*pair, error) {
	made := &pair{}
	configuration := webrtc.Configuration{Certificates: []webrtc.Certificate{certificate}}
	for index := range made.ends {
		peer, err := api.NewPeerConnection(configuration)
		if err != nil {
			return nil, err
		}
		made.ends[index] = peer
	}
	ada, bob := made.ends[0], made.ends[1]
	for index, peer := range made.ends {
		other := made.ends[1-index]
		peer.OnICECandidate(func(candidate *webrtc.ICECandidate) {
			if candidate != nil {
				_ = other.AddICECandidate(candidate.ToJSON())
			}
		})
	}
	open := make(chan struct{}, 2)
	bob.OnDataChannel(func(channel *webrtc.DataChannel) {
		channel.OnMessage(func(message webrtc.DataChannelMessage) { made.arrived.Add(uint64(len(message.Data))) })
		channel.OnOpen(func() { open <- struct{}{} })
	})
	channel, err := ada.CreateDataChannel("bench", nil)
	if err != nil {
		return nil, err
	}
	made.channel = channel
	channel.OnOpen(func() { open <- struct{}{} })
	// Candidates are found once a description is set here, and taken once one is set there: so the other's first.
	offer, err := ada.CreateOffer(nil)
	if err != nil {
		return nil, err
	}
	if err := bob.SetRemoteDescription(offer); err != nil {
		return nil, err
	}
	answer, err := bob.CreateAnswer(nil)
	if err != nil {
		return nil, err
	}
	if err := ada.SetLocalDescription(offer); err != nil {
		return nil, err
	}
	if err := ada.SetRemoteDescription(answer); err != nil {
		return nil, err
	}
	if err := bob.SetLocalDescription(answer); err != nil {
		return nil, err
	}
	for range 2 {
		select {
		case <-open:
		case <-time.After(time.Minute):
			return nil, errors.New("it does not connect")
		}
	}
	return made, nil
}

// Keeps a megabyte queued, and is told when half of it has gone.
func (made *pair) pump(size int, window time.Duration) (uint64, error) {
	const most = 1 << 20
	low := make(chan struct{}, 1)
	made.channel.SetBufferedAmountLowThreshold(most / 2)
	made.channel.OnBufferedAmountLow(func() {
		select {
		case low <- struct{}{}:
		default:
		}
	})
	before, message := made.arrived.Load(), make([]byte, size)
	end := time.After(window)
	for {
		for made.channel.BufferedAmount() < most {
			if err := made.channel.Send(message); err != nil {
				return 0, err
			}
			select {
			case <-end:
				return made.arrived.Load() - before, nil
			default:
			}
		}
		select {
		case <-low:
		case <-end:
			return made.arrived.Load() - before, nil
		}
	}
}

func bench() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	certificate, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return err
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	system, err := stdnet.NewNet()
	if err != nil {
		return err
	}
	settings.SetNet(buffered{system})
	settings.EnableSCTPZeroChecksum(true)
	api := webrtc.NewAPI(webrtc.WithSettingEngine(settings))
	var pairs []*pair
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		var what string
		var size, milliseconds int
		_, _ = fmt.Sscan(input.Text(), &what, &size, &milliseconds)
		var count uint64
		switch what {
		case "connect":
			made, failed := connect(api, *certificate)
			if failed != nil {
				return failed
			}
			pairs = append(pairs, made)
		case "pump":
			count, err = pairs[len(pairs)-1].pump(size, time.Duration(milliseconds)*time.Millisecond)
			if err != nil {
				return err
			}
		case "forget":
			for _, made := range pairs {
				for _, peer := range made.ends {
					_ = peer.Close()
				}
			}
			pairs = nil
		}
		fmt.Println(count)
	}
	return nil
}
