// Sound and pictures of Pion's: a film that is sent again and again, and what comes compared with it.
package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/pion/rtp/codecs"
	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"github.com/pion/webrtc/v4/pkg/media/samplebuilder"
)

// What a line says of media.
type plan struct {
	Send, Receive bool
	// An IVF file with VP8.
	Film string
	// One of so many packets of media is lost on its way out, and one on its way in; 0: none.
	Lose uint64
}

const (
	picture = time.Second / 30
	sound   = 20 * time.Millisecond
)

// 20 ms of silence.
var silence = []byte{0xF8, 0xFF, 0xFE}

func frames(path string) ([][]byte, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	reader, _, err := ivfreader.NewWith(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for {
		frame, _, err := reader.ParseNextFrame()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, frame)
	}
}

// Adds what is sent, or, for who offers, what is to come.
func (end *end) addMedia(offers bool) error {
	if !end.media.Send {
		if !offers {
			return nil
		}
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			init := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
			if _, err := end.peer.AddTransceiverFromKind(kind, init); err != nil {
				return err
			}
		}
		return nil
	}
	film, err := frames(end.media.Film)
	if err != nil {
		return err
	}
	direction := webrtc.RTPTransceiverDirectionSendonly
	if end.media.Receive {
		direction = webrtc.RTPTransceiverDirectionSendrecv
	}
	audio, pictures := [][]byte{silence}, film
	for _, one := range []struct {
		kind   string
		frames [][]byte
		every  time.Duration
	}{{webrtc.MimeTypeOpus, audio, sound}, {webrtc.MimeTypeVP8, pictures, picture}} {
		track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: one.kind}, one.kind[:5], "pion")
		if err != nil {
			return err
		}
		var sender *webrtc.RTPSender
		if !offers {
			// Whoever answers has a transceiver for it already.
			sender, err = end.peer.AddTrack(track)
		} else {
			var transceiver *webrtc.RTPTransceiver
			init := webrtc.RTPTransceiverInit{Direction: direction}
			if transceiver, err = end.peer.AddTransceiverFromTrack(track, init); err == nil {
				sender = transceiver.Sender()
			}
		}
		if err != nil {
			return err
		}
		// What is asked for again is sent again when it is read.
		go func() {
			for {
				if _, _, err := sender.ReadRTCP(); err != nil {
					return
				}
			}
		}()
		go func() {
			<-end.connected
			ticks := time.NewTicker(one.every)
			defer ticks.Stop()
			for at := 0; ; at++ {
				<-ticks.C
				sample := media.Sample{Data: one.frames[at%len(one.frames)], Duration: one.every}
				if track.WriteSample(sample) != nil {
					return
				}
			}
		}()
	}
	return nil
}

// Tells which of the film's frames come, and every half second how many packets of sound have come one behind another.
func (end *end) watch(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	if !end.media.Receive {
		return
	}
	if track.Kind() == webrtc.RTPCodecTypeAudio {
		for count := 1; ; count++ {
			if _, _, err := track.ReadRTP(); err != nil {
				return
			}
			if count%25 == 0 {
				say(object{"audio": count})
			}
		}
	}
	film, err := frames(end.media.Film)
	if err != nil {
		say(object{"error": err.Error()})
		return
	}
	last := -1
	// Pictures that change the same are the same bytes: what follows is looked at first.
	number := func(data []byte) any {
		for at := range film {
			if place := (last + 1 + at) % len(film); bytes.Equal(film[place], data) {
				last = place
				return place
			}
		}
		return nil
	}
	builder := samplebuilder.New(200, &codecs.VP8Packet{}, track.Codec().ClockRate)
	var lost uint16
	begun := false
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		builder.Push(packet)
		for sample := builder.Pop(); sample != nil; sample = builder.Pop() {
			key := len(sample.Data) > 0 && sample.Data[0]&1 == 0
			// Of what comes before, the first packets may be missing, which nothing tells.
			if begun = begun || key; !begun {
				continue
			}
			lost += sample.PrevDroppedPackets
			say(object{"video": number(sample.Data), "key": key, "lost": lost, "timestamp": sample.PacketTimestamp})
		}
	}
}

// The system's network, over which packets of media are lost on purpose.
type lossy struct {
	*stdnet.Net
	every *atomic.Uint64
}

type lossySocket struct {
	transport.UDPConn
	every   *atomic.Uint64
	in, out atomic.Uint64
}

func (network lossy) ListenUDP(name string, address *net.UDPAddr) (transport.UDPConn, error) {
	socket, err := network.Net.ListenUDP(name, address)
	if err != nil {
		return nil, err
	}
	return &lossySocket{UDPConn: socket, every: network.every}, nil
}

func (socket *lossySocket) isLost(count *atomic.Uint64, data []byte) bool {
	isMedia := len(data) > 1 && data[0]>>6 == 2 && (data[1] < 192 || data[1] > 223)
	every := socket.every.Load()
	return isMedia && every != 0 && count.Add(1)%every == 0
}

func (socket *lossySocket) WriteTo(data []byte, to net.Addr) (int, error) {
	if socket.isLost(&socket.out, data) {
		return len(data), nil
	}
	return socket.UDPConn.WriteTo(data, to)
}

func (socket *lossySocket) ReadFrom(buffer []byte) (int, net.Addr, error) {
	for {
		count, from, err := socket.UDPConn.ReadFrom(buffer)
		if err != nil || !socket.isLost(&socket.in, buffer[:count]) {
			return count, from, err
		}
	}
}
