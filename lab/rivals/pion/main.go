// An end of a call that Pion makes: see ../src/lib.rs for the lines it takes and gives.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/pion/transport/v5/stdnet"
	"github.com/pion/webrtc/v4"
)

type object map[string]any

type end struct {
	peer    *webrtc.PeerConnection
	lock    sync.Mutex
	channel *webrtc.DataChannel
	trickle bool
	media   *plan
	lose    atomic.Uint64
	// Closed once it is.
	connected chan struct{}
}

var output sync.Mutex

func say(line object) {
	text, _ := json.Marshal(line)
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(text))
}

func pattern(length int) []byte {
	bytes := make([]byte, length)
	for index := range bytes {
		bytes[index] = byte((index * 31) >> 3)
	}
	return bytes
}

func (end *end) adopt(channel *webrtc.DataChannel) {
	end.lock.Lock()
	end.channel = channel
	end.lock.Unlock()
	channel.OnOpen(func() { say(object{"open": channel.Label()}) })
	channel.OnClose(func() { say(object{"closed": "channel"}) })
	channel.OnMessage(func(message webrtc.DataChannelMessage) {
		text := string(message.Data)
		if message.IsString {
			say(object{"text": text})
			return
		}
		good := text == string(pattern(len(message.Data)))
		say(object{"bytes": len(message.Data), "good": good})
	})
}

func (end *end) describe(description webrtc.SessionDescription) error {
	gathered := webrtc.GatheringCompletePromise(end.peer)
	if err := end.peer.SetLocalDescription(description); err != nil {
		return err
	}
	if end.trickle {
		say(object{"description": description})
		return nil
	}
	<-gathered
	say(object{"description": end.peer.LocalDescription()})
	return nil
}

type line struct {
	Begin       *struct{ Trickle bool }
	Media       *plan
	Offer       *string
	Description *webrtc.SessionDescription
	Candidate   *webrtc.ICECandidateInit
	Text        *string
	Bytes       *int
	Close       *string
}

func (end *end) obey(line line) error {
	switch {
	case line.Begin != nil:
		end.trickle = line.Begin.Trickle
	case line.Media != nil:
		end.media = line.Media
		end.lose.Store(line.Media.Lose)
	case line.Offer != nil:
		if end.media != nil {
			if err := end.addMedia(true); err != nil {
				return err
			}
		}
		if *line.Offer != "" {
			channel, err := end.peer.CreateDataChannel(*line.Offer, nil)
			if err != nil {
				return err
			}
			end.adopt(channel)
		}
		offer, err := end.peer.CreateOffer(nil)
		if err != nil {
			return err
		}
		return end.describe(offer)
	case line.Description != nil:
		if err := end.peer.SetRemoteDescription(*line.Description); err != nil {
			return err
		}
		if line.Description.Type == webrtc.SDPTypeOffer {
			if end.media != nil {
				if err := end.addMedia(false); err != nil {
					return err
				}
			}
			answer, err := end.peer.CreateAnswer(nil)
			if err != nil {
				return err
			}
			return end.describe(answer)
		}
	case line.Candidate != nil:
		return end.peer.AddICECandidate(*line.Candidate)
	case line.Text != nil:
		return end.channel.SendText(*line.Text)
	case line.Bytes != nil:
		return end.channel.Send(pattern(*line.Bytes))
	case line.Close != nil && *line.Close == "channel":
		return end.channel.Close()
	case line.Close != nil:
		return end.peer.Close()
	}
	return nil
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "bench" {
		if err := bench(); err != nil {
			fmt.Println(err)
		}
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "sfu" {
		if err := forward(); err != nil {
			fmt.Println(err)
		}
		return
	}
	end := &end{trickle: true, connected: make(chan struct{})}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	system, err := stdnet.NewNet()
	if err != nil {
		say(object{"error": err.Error()})
		return
	}
	settings.SetNet(lossy{system, &end.lose})
	peer, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		say(object{"error": err.Error()})
		return
	}
	end.peer = peer
	peer.OnTrack(end.watch)
	peer.OnDataChannel(end.adopt)
	peer.OnICECandidate(func(candidate *webrtc.ICECandidate) {
		switch {
		case !end.trickle:
		case candidate == nil:
			say(object{"candidate": nil})
		default:
			say(object{"candidate": candidate.ToJSON()})
		}
	})
	var once sync.Once
	peer.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateClosed || state == webrtc.PeerConnectionStateFailed {
			say(object{"closed": "connection"})
			return
		}
		if state == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(end.connected) })
		}
		say(object{"note": state.String()})
	})
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	for input.Scan() {
		var line line
		if err := json.Unmarshal(input.Bytes(), &line); err != nil {
			say(object{"error": err.Error()})
		} else if err := end.obey(line); err != nil {
			say(object{"error": err.Error()})
		}
	}
}
