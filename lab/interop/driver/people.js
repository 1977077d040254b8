// Runs in every document before the page's own scripts, for pictures of the pages (screens.mjs): cameras in which drawn
// people sit in drawn rooms, and a screen with something on it. `window.labPerson` says who sits here.
// The tracks are made frame by frame, because a canvas in a tab that nobody looks at captures nothing.

(() => {
  const [WIDTH, HEIGHT, RATE] = [640, 360, window.labRate ?? 8];

  const people = [
    { skin: '#d9a37c', hair: '#2c2320', style: 'bun', wear: '#d9952f', wall: ['#e9dcc6', '#cdb592'], room: window_ },
    { skin: '#f0c9a8', hair: '#a24f25', style: 'beard', wear: '#3f6b57', wall: ['#cfd6da', '#9eacb4'], room: shelf },
    { skin: '#7a4b33', hair: '#1d1512', style: 'curls', wear: '#c8553d', wall: ['#9fbdc6', '#6f95a3'], room: frames },
    { skin: '#e3b48f', hair: '#b9bcc2', style: 'glasses', wear: '#31456e', wall: ['#e6d3c4', '#c39f88'], room: lamp },
  ];

  function shape(context, colour, draw) {
    context.beginPath();
    draw(context);
    context.fillStyle = colour;
    context.fill();
  }

  const box = (context, colour, x, y, width, height, radius = 0) =>
    shape(context, colour, (c) => c.roundRect(x, y, width, height, radius));
  const round = (context, colour, x, y, across, up = across, tilt = 0) =>
    shape(context, colour, (c) => c.ellipse(x, y, across, up, tilt, 0, 2 * Math.PI));

  function within(context, x, y, width, height, paint) {
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    paint();
    context.restore();
  }

  function window_(context) {
    box(context, '#f7f0e2', 60, 36, 150, 170, 6);
    const sky = context.createLinearGradient(0, 40, 0, 200);
    sky.addColorStop(0, '#8fc1e0');
    sky.addColorStop(1, '#dcebef');
    box(context, sky, 70, 46, 130, 150);
    within(context, 70, 46, 130, 150, () => {
      round(context, '#c3d6a4', 170, 210, 70, 46);
      round(context, '#a9c48c', 100, 214, 60, 50);
    });
    box(context, '#f7f0e2', 132, 46, 6, 150);
    box(context, '#f7f0e2', 70, 116, 130, 6);
    plant(context, 545, 300);
  }

  function plant(context, x, y) {
    for (const [tilt, length] of [[-0.9, 66], [-0.45, 92], [0, 104], [0.45, 90], [0.9, 64]]) {
      const [tipX, tipY] = [x + Math.sin(tilt) * length, y - 10 - Math.cos(tilt) * length];
      round(context, tilt ? '#4f7d54' : '#5f9163', (x + tipX) / 2, (y + tipY) / 2, 12, length / 2, tilt);
    }
    shape(context, '#b4633c', (c) => {
      c.moveTo(x - 34, y - 20);
      c.lineTo(x + 34, y - 20);
      c.lineTo(x + 24, y + 46);
      c.lineTo(x - 24, y + 46);
    });
  }

  function shelf(context) {
    const spines = ['#b24a33', '#e0b354', '#4e6f8a', '#39534a', '#d9cdb4', '#7d4a63'];
    for (const y of [100, 218, 336]) {
      for (let book = 0, x = 26; x < 600; book += 1) {
        const width = 16 + ((book * 7 + y) % 14);
        const height = 58 + ((book * 13 + y) % 30);
        if ((book + y) % 9 !== 4) box(context, spines[(book * 5 + y) % 6], x, y - height, width - 2, height, 2);
        x += width;
      }
      box(context, '#8a6a4c', 0, y, 640, 9);
    }
    context.fillStyle = 'rgb(190 200 206 / 45%)';
    context.fillRect(0, 0, WIDTH, HEIGHT);
  }

  function frames(context) {
    box(context, '#f4ead8', 66, 44, 112, 142, 3);
    box(context, '#e3a15a', 80, 58, 84, 114);
    within(context, 80, 58, 84, 114, () => {
      round(context, '#f6e7c8', 122, 100, 24);
      round(context, '#7d3f2c', 110, 182, 60, 46);
      box(context, '#4d7482', 66, 158, 112, 20);
    });
    box(context, '#f4ead8', 470, 64, 124, 92, 3);
    box(context, '#2f4a57', 482, 76, 100, 68);
    round(context, '#d8e3e0', 516, 112, 16);
    plant(context, 96, 348);
  }

  function lamp(context) {
    const glow = context.createRadialGradient(112, 150, 10, 112, 150, 190);
    glow.addColorStop(0, 'rgb(255 236 190 / 90%)');
    glow.addColorStop(1, 'rgb(255 236 190 / 0%)');
    context.fillStyle = glow;
    context.fillRect(0, 0, WIDTH, HEIGHT);
    box(context, '#5c4a3f', 108, 150, 8, 210);
    shape(context, '#f6dfae', (c) => {
      c.moveTo(82, 96);
      c.lineTo(142, 96);
      c.lineTo(166, 160);
      c.lineTo(58, 160);
    });
    box(context, '#a97458', 440, 190, 220, 170, 30);
    box(context, '#bb8668', 420, 250, 240, 130, 26);
  }

  function draw(context, who, time) {
    const { skin, hair, style, wear, wall, room } = people[who % people.length];
    const paint = context.createLinearGradient(0, 0, 0, HEIGHT);
    paint.addColorStop(0, wall[0]);
    paint.addColorStop(1, wall[1]);
    context.fillStyle = paint;
    context.fillRect(0, 0, WIDTH, HEIGHT);
    room(context);

    const sway = Math.sin(time * 0.9 + who * 2) * 5;
    const nod = Math.sin(time * 1.7 + who) * 2.5;
    context.save();
    context.translate(320 + sway * 0.4, 0);
    if (style === 'curls') {
      for (let lock = 0; lock < 15; lock += 1) {
        const turn = Math.PI * (0.92 + (lock / 14) * 1.16);
        round(context, hair, sway + Math.cos(turn) * 72, 138 + nod + Math.sin(turn) * 74, 30);
      }
    }
    if (style === 'bun') {
      round(context, hair, sway + 4, 46 + nod, 28);
      round(context, hair, sway, 150 + nod, 72, 90);
    }
    // Shoulders, neck, head.
    shape(context, wear, (c) => {
      c.moveTo(-178, 372);
      c.bezierCurveTo(-170, 268, -86, 262, -36, 246);
      c.lineTo(36, 246);
      c.bezierCurveTo(86, 262, 170, 268, 178, 372);
    });
    const shade = shadeOf(skin);
    box(context, shade, -29, 196, 58, 62, 26);
    shape(context, skin, (c) => {
      c.ellipse(0, 250, 30, 16, 0, 0, Math.PI);
    });
    context.translate(sway, nod);
    round(context, shade, -65, 156, 12, 17);
    round(context, shade, 65, 156, 12, 17);
    if (style === 'beard') round(context, hair, 0, 168, 67, 78);
    round(context, skin, 0, 150, 64, 78);
    if (style === 'beard') {
      shape(context, hair, (c) => {
        c.moveTo(-64, 158);
        c.bezierCurveTo(-62, 246, 62, 246, 64, 158);
        c.bezierCurveTo(44, 196, 30, 184, 0, 184);
        c.bezierCurveTo(-30, 184, -44, 196, -64, 158);
      });
    }
    fringe(context, hair, style);
    face(context, who, time, style);
    context.restore();
  }

  function fringe(context, hair, style) {
    if (style === 'curls') {
      for (let lock = 0; lock < 9; lock += 1) round(context, hair, -56 + lock * 14, 88 - Math.sin((lock / 8) * Math.PI) * 18, 18);
      return;
    }
    shape(context, hair, (c) => {
      c.moveTo(-67, 146);
      c.bezierCurveTo(-78, 40, 78, 40, 67, 146);
      if (style === 'bun') {
        c.bezierCurveTo(60, 108, 34, 96, -8, 92);
        c.bezierCurveTo(-38, 98, -58, 116, -67, 146);
      } else {
        c.bezierCurveTo(60, 106, 48, 104, 26, 100);
        c.bezierCurveTo(-18, 108, -54, 92, -67, 146);
      }
    });
  }

  function face(context, who, time, style) {
    const ink = '#2a211e';
    context.strokeStyle = ink;
    context.lineCap = 'round';
    for (const side of [-1, 1]) {
      // They do not blink: pictures are taken of them.
      round(context, ink, side * 25, 148, 6, 7);
      round(context, '#fff', side * 25 + 2, 145, 2);
      context.lineWidth = 4;
      context.beginPath();
      context.moveTo(side * 14, 130);
      context.quadraticCurveTo(side * 25, 124, side * 37, 131);
      context.stroke();
    }
    if (style === 'glasses') {
      context.lineWidth = 3.5;
      for (const side of [-1, 1]) {
        context.beginPath();
        context.roundRect(side * 26 - 19, 134, 38, 28, 11);
        context.stroke();
      }
      context.beginPath();
      context.moveTo(-7, 146);
      context.lineTo(7, 146);
      context.stroke();
    }
    context.lineWidth = 3;
    context.strokeStyle = 'rgb(42 33 30 / 55%)';
    context.beginPath();
    context.moveTo(0, 156);
    context.quadraticCurveTo(9, 174, -3, 174);
    context.stroke();
    const open = who === 1 ? Math.abs(Math.sin(time * 5)) * 9 : 0;
    shape(context, style === 'beard' ? '#5b2018' : '#8d3b30', (c) => {
      c.moveTo(-22, 194);
      c.quadraticCurveTo(0, 204 - open / 3, 22, 194);
      c.quadraticCurveTo(0, 212 + open, -22, 194);
    });
  }

  function shadeOf(colour) {
    const [red, green, blue] = [1, 3, 5].map((at) => Math.round(parseInt(colour.slice(at, at + 2), 16) * 0.86));
    return `rgb(${red} ${green} ${blue})`;
  }

  // A screen: somebody's plan for a garden.
  function slide(context, width, height) {
    context.fillStyle = '#fffdf7';
    context.fillRect(0, 0, width, height);
    context.fillStyle = '#24301f';
    context.font = '700 54px Georgia, "Liberation Serif", serif';
    context.fillText('The garden, this spring', 70, 104);
    context.font = '26px "Liberation Sans", sans-serif';
    ['Beans along the south wall', 'Potatoes where the cabbage was', 'Two more barrels for rain', 'Ask Cleo about the bees'].forEach((line, index) => {
      round(context, '#5f9163', 84, 186 + index * 58, 9);
      context.fillStyle = '#3b4436';
      context.fillText(line, 112, 195 + index * 58);
    });
    [['Beans', 0.62, '#5f9163'], ['Potatoes', 0.88, '#a97142'], ['Squash', 0.47, '#e0a43b'], ['Peas', 0.71, '#8fb56b']].forEach(([name, share, colour], index) => {
      const x = 640 + index * 142;
      box(context, colour, x, 600 - share * 420, 92, share * 420, 10);
      context.fillStyle = '#3b4436';
      context.textAlign = 'center';
      context.fillText(name, x + 46, 644);
      context.textAlign = 'left';
    });
    box(context, '#3b4436', 620, 600, 580, 4);
    context.fillStyle = '#7a8272';
    context.font = '22px "Liberation Sans", sans-serif';
    context.fillText('Harvest last year, in baskets of ten', 640, 690);
  }

  function picture(width, height, rate, paint, label, id) {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    const track = new MediaStreamTrackGenerator({ kind: 'video' });
    const writer = track.writable.getWriter();
    const start = performance.now();
    const timer = setInterval(() => {
      if (track.readyState === 'ended') return clearInterval(timer);
      if (writer.desiredSize <= 0) return;
      paint(context, (performance.now() - start) / 1000);
      writer.write(new VideoFrame(canvas, { timestamp: Math.round(performance.now() * 1000) })).catch(() => {});
    }, 1000 / rate);
    Object.defineProperty(track, 'label', { value: label });
    track.getSettings = () => ({ deviceId: id, width, height });
    return track;
  }

  // The second person talks, the others are silent.
  function voice() {
    const context = new AudioContext();
    const out = context.createMediaStreamDestination();
    const hum = new OscillatorNode(context, { frequency: 160, type: 'sawtooth' });
    const loud = new GainNode(context, { gain: window.labPerson === 1 ? 0.3 : 0 });
    hum.connect(loud).connect(out);
    hum.start();
    void context.resume();
    const [track] = out.stream.getAudioTracks();
    track.getSettings = () => ({ deviceId: 'mic-1' });
    return track;
  }

  const devices = [
    ['audioinput', 'mic-1', 'Built-in microphone'],
    ['audioinput', 'mic-2', 'Headset'],
    ['videoinput', 'camera-1', 'Built-in camera'],
    ['videoinput', 'camera-2', 'USB camera'],
    ['audiooutput', 'speaker-1', 'Built-in speakers'],
    ['audiooutput', 'speaker-2', 'Headset'],
  ].map(([kind, deviceId, label]) => ({ kind, deviceId, label, groupId: '' }));

  if (navigator.mediaDevices) {
    const refuse = window.labRefusal;
    navigator.mediaDevices.enumerateDevices = async () => (refuse === 'NotFoundError' ? devices.filter(({ kind }) => kind !== 'videoinput') : devices);
    navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
      if (refuse && (video || refuse !== 'NotFoundError')) throw new DOMException('as the picture wants it', refuse);
      const tracks = [];
      if (audio) tracks.push(voice());
      if (video) tracks.push(picture(WIDTH, HEIGHT, RATE, (context, time) => draw(context, window.labPerson, time), 'Built-in camera', 'camera-1'));
      return new MediaStream(tracks);
    };
    navigator.mediaDevices.getDisplayMedia = async () =>
      new MediaStream([picture(1280, 720, 3, (context) => slide(context, 1280, 720), 'Screen', 'screen')]);
  }

  // A relay that nobody reaches.
  if (window.labDeadRelay) {
    const dead = (configuration) => ({ ...configuration, iceServers: [{ urls: 'turn:127.0.0.1:9', username: 'x', credential: 'x' }] });
    window.RTCPeerConnection = class RTCPeerConnection extends window.RTCPeerConnection {
      constructor(configuration) {
        super(dead(configuration));
      }
      setConfiguration(configuration) {
        super.setConfiguration(dead(configuration));
      }
    };
  }
})();
