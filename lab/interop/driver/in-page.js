// Runs in every document before the page's own scripts. The camera becomes a picture that counts: black and white
// cells that hold the frame's number, so that whoever receives it can tell which frames arrived, and whose.
// Everything for the tests is in `window.lab`.

(() => {
  const COLUMNS = 8;
  const ROWS = 4;
  // `?picture=large`: large enough for several sizes of it, with a strip of noise, so that each takes what it may.
  const LARGE = new URLSearchParams(location.search).get('picture') === 'large';
  const [WIDTH, HEIGHT] = LARGE ? [960, 720] : [320, 240];
  const RATE = 20;
  const FRAME_BITS = 20;
  const SOURCE_BITS = 6;
  const SCREEN = 32;

  // 20 bits of frame number, 6 of source, 6 that check them: 32 cells. Never all black or all white.
  function encode(frame, source) {
    const bits = [];
    const push = (value, count) => {
      for (let bit = count - 1; bit >= 0; bit--) bits.push((value >> bit) & 1);
    };
    push(frame, FRAME_BITS);
    push(source, SOURCE_BITS);
    push(check(frame, source), 6);
    return bits;
  }

  function check(frame, source) {
    return ((frame ^ (frame >> 6) ^ (frame >> 12) ^ (frame >> 18) ^ source) & 63) ^ 0b101101;
  }

  // {frame, source}, or null where the cells do not add up.
  function decode(bits) {
    const take = (from, count) => bits.slice(from, from + count).reduce((value, bit) => value * 2 + bit, 0);
    const frame = take(0, FRAME_BITS);
    const source = take(FRAME_BITS, SOURCE_BITS);
    return take(FRAME_BITS + SOURCE_BITS, 6) === check(frame, source) ? { frame, source } : null;
  }

  function countingPicture(source) {
    const canvas = document.createElement('canvas');
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    const context = canvas.getContext('2d');
    let frame = 0;
    const noise = LARGE ? context.createImageData(WIDTH, 24) : null;
    const draw = () => {
      frame = (frame + 1) % 2 ** FRAME_BITS;
      for (const [cell, bit] of encode(frame, source).entries()) {
        context.fillStyle = bit ? '#fff' : '#000';
        const [width, height] = [WIDTH / COLUMNS, HEIGHT / ROWS];
        context.fillRect((cell % COLUMNS) * width, Math.floor(cell / COLUMNS) * height, width, height);
      }
      if (!noise) return;
      for (let at = 0; at < noise.data.length; at++) noise.data[at] = at % 4 === 3 ? 255 : Math.random() * 255;
      context.putImageData(noise, 0, HEIGHT - 24);
    };
    draw();
    const stream = canvas.captureStream(RATE);
    const [track] = stream.getVideoTracks();
    const timer = setInterval(() => {
      if (track.readyState === 'ended') clearInterval(timer);
      else draw();
    }, 1000 / RATE);
    return track;
  }

  const firefox = navigator.userAgent.includes('Firefox');
  const nativeUserMedia = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);

  // Firefox does not run an AudioContext on a machine without a sound card, but has a fake microphone that hums.
  let audio = null;
  async function tone() {
    if (firefox) return (await nativeUserMedia({ audio: true })).getAudioTracks()[0];
    audio ??= new AudioContext();
    const oscillator = audio.createOscillator();
    const destination = audio.createMediaStreamDestination();
    oscillator.frequency.value = 440;
    oscillator.connect(destination);
    oscillator.start();
    await audio.resume();
    return destination.stream.getAudioTracks()[0];
  }

  // Two of each kind; the second camera has SECOND more in its picture.
  const SECOND = 16;
  const devices = [
    ['audioinput', 'A steady tone'],
    ['audioinput', 'Another tone'],
    ['videoinput', 'A counting picture'],
    ['videoinput', 'Another counting picture'],
    ['audiooutput', 'Nobody listens'],
  ].map(([kind, label], index, all) => ({
    kind, label, deviceId: `lab-${kind}${all[index - 1]?.[0] === kind ? '-2' : ''}`, groupId: 'lab', toJSON() { return this; },
  }));
  const unplugged = new Set();
  const inUse = new Map();
  const plugged = () => devices.filter(({ deviceId }) => !unplugged.has(deviceId));

  // The device that constraints lead to, or an error as a browser's.
  function choose(kind, constraints) {
    const there = plugged().filter((device) => device.kind === kind);
    const { exact, ideal } = constraints.deviceId ?? {};
    const found = there.find(({ deviceId }) => deviceId === (exact ?? ideal)) ?? (exact ? undefined : there[0]);
    if (found) return found;
    throw exact ? new DOMException('no such device', 'OverconstrainedError') : new DOMException('none', 'NotFoundError');
  }

  function opened(track, { deviceId, label }) {
    Object.defineProperty(track, 'label', { value: label });
    track.getSettings = () => ({ deviceId });
    inUse.set(deviceId, [...(inUse.get(deviceId) ?? []), track]);
    return track;
  }

  if (navigator.mediaDevices) {
    navigator.mediaDevices.enumerateDevices = async () => plugged();
    navigator.mediaDevices.getUserMedia = async ({ audio: wantsSound, video: wantsPicture }) => {
      const tracks = [];
      if (wantsSound) tracks.push(opened(await tone(), choose('audioinput', wantsSound)));
      if (wantsPicture) {
        const device = choose('videoinput', wantsPicture);
        tracks.push(opened(countingPicture(window.labSource + (device.deviceId.endsWith('-2') ? SECOND : 0)), device));
      }
      return new MediaStream(tracks);
    };
    navigator.mediaDevices.getDisplayMedia = async () => new MediaStream([countingPicture(window.labSource + SCREEN)]);
  }

  // Every peer connection of the page, oldest first.
  const connections = [];
  if (window.RTCPeerConnection) {
    window.RTCPeerConnection = class RTCPeerConnection extends window.RTCPeerConnection {
      constructor(...parameters) {
        super(...parameters);
        connections.push(this);
      }
    };
  }

  const small = document.createElement('canvas');
  small.width = COLUMNS * 4;
  small.height = ROWS * 4;
  const smallContext = small.getContext('2d', { willReadFrequently: true });

  function read(video) {
    if (!video || video.readyState < 2 || !video.videoWidth) return null;
    smallContext.drawImage(video, 0, 0, small.width, small.height);
    const { data } = smallContext.getImageData(0, 0, small.width, small.height);
    const bits = [];
    for (let cell = 0; cell < COLUMNS * ROWS; cell++) {
      const x = (cell % COLUMNS) * 4 + 2;
      const y = Math.floor(cell / COLUMNS) * 4 + 2;
      bits.push(data[(y * small.width + x) * 4 + 1] > 127 ? 1 : 0);
    }
    return decode(bits);
  }

  const OWN = '[data-testid=tile][data-peer=self][data-kind=camera] video';

  // Follows the <video> that a selector finds, whichever element that is at the time.
  const watched = new Map();
  function watch(selector) {
    if (watched.has(selector)) return;
    const seen = { source: null, frame: null, own: null, frames: 0, missed: 0, gap: 0, changed: null };
    watched.set(selector, seen);
    setInterval(() => {
      const now = read(document.querySelector(selector));
      if (!now || (now.frame === seen.frame && now.source === seen.source)) return;
      const time = performance.now();
      const own = read(document.querySelector(OWN))?.frame ?? seen.own;
      if (now.source === seen.source) {
        seen.missed = Math.max(seen.missed, Math.min(now.frame - seen.frame, own - seen.own) - 1);
        seen.gap = Math.max(seen.gap, time - seen.changed);
      }
      Object.assign(seen, now, { own, frames: seen.frames + 1, changed: time });
    }, 15);
  }

  async function levels() {
    const found = [];
    for (const connection of connections) {
      for (const report of (await connection.getStats()).values()) {
        if (report.type === 'inbound-rtp' && report.kind === 'audio') found.push(report.audioLevel ?? 0);
      }
    }
    return found;
  }

  // Chromium's statistics stay at zero while nothing plays the sound; so listen to the track itself.
  const analysers = new Map();
  async function peaks() {
    audio ??= new AudioContext();
    await audio.resume();
    const receivers = connections.filter((connection) => connection.connectionState !== 'closed')
      .flatMap((connection) => connection.getReceivers())
      .filter(({ track }) => track.kind === 'audio' && track.readyState === 'live' && !track.muted);
    return receivers.map(({ track }) => {
      if (!analysers.has(track)) {
        const analyser = audio.createAnalyser();
        audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
        analysers.set(track, analyser);
      }
      const analyser = analysers.get(track);
      const samples = new Float32Array(analyser.fftSize);
      analyser.getFloatTimeDomainData(samples);
      return Math.max(...samples);
    });
  }

  // When frames of a picture were painted, as the browser says it, and how wide they were: [time, width]…, by selector.
  const PAINTED = 10_000;
  const painted = new Map();
  function follow(selector) {
    if (painted.has(selector)) return painted.get(selector);
    const frames = [];
    painted.set(selector, frames);
    let video = null;
    setInterval(() => {
      const now = document.querySelector(selector);
      if (!now || now === video) return;
      video = now;
      const note = (_, { presentationTime, width }) => {
        frames.push([presentationTime, width]);
        if (frames.length > PAINTED) frames.shift();
        if (now === video) now.requestVideoFrameCallback(note);
      };
      now.requestVideoFrameCallback(note);
    }, 20);
    return frames;
  }

  // Sums over all that comes in and goes out on the connection that was made last.
  const SUMS = {
    'inbound-rtp audio': ['packetsReceived', 'packetsLost', 'totalSamplesReceived', 'concealedSamples', 'concealmentEvents'],
    'inbound-rtp video': ['packetsReceived', 'packetsLost', 'framesDecoded', 'keyFramesDecoded', 'nackCount', 'pliCount', 'freezeCount', 'totalFreezesDuration'],
    'outbound-rtp video': ['packetsSent', 'framesEncoded', 'keyFramesEncoded', 'nackCount', 'pliCount', 'firCount'],
  };
  async function media() {
    const sums = Object.fromEntries(Object.entries(SUMS).map(([kind, names]) => [kind, Object.fromEntries(names.map((name) => [name, 0]))]));
    for (const report of (await connections.at(-1).getStats()).values()) {
      const sum = sums[`${report.type} ${report.kind}`];
      for (const name of Object.keys(sum ?? {})) sum[name] += report[name] ?? 0;
    }
    return sums;
  }

  // A file of `size` bytes that all depend on `seed`, kept on disk by the browser and written in pieces; all holes for 0.
  async function makeFile(name, size, seed) {
    const folder = await navigator.storage.getDirectory();
    const handle = await folder.getFileHandle(name, { create: true });
    const writer = await handle.createWritable();
    if (seed === 0) {
      await writer.truncate(size);
      await writer.close();
      return handle.getFile();
    }
    const piece = new Uint32Array(1 << 20);
    let state = seed >>> 0 || 1;
    for (let written = 0; written < size; written += piece.byteLength) {
      for (let at = 0; at < piece.length; at++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        piece[at] = state;
      }
      await writer.write(new Uint8Array(piece.buffer, 0, Math.min(piece.byteLength, size - written)));
    }
    await writer.close();
    return handle.getFile();
  }

  // A sum over the bytes of a file, in order, read in pieces: the tests' own check, apart from the page's.
  async function sum(file) {
    let [low, high, count] = [1, 0, 0];
    for await (const piece of pieces(file)) {
      for (let at = 0; at < piece.length; at++) {
        low = (Math.imul(low, 31) + piece[at]) | 0;
        high = (high + low) | 0;
      }
      count += piece.length;
    }
    return `${count}:${low >>> 0}:${high >>> 0}`;
  }

  async function* pieces(file) {
    for (let at = 0; at < file.size; at += 1 << 23) {
      yield new Uint8Array(await file.slice(at, at + (1 << 23)).arrayBuffer());
    }
  }

  // The files in the page's private folder, its subfolders included: [[path, file]…].
  async function files(folder, path = '') {
    folder ??= await navigator.storage.getDirectory();
    const found = [];
    for await (const [name, handle] of folder.entries()) {
      if (handle.kind === 'directory') found.push(...(await files(handle, `${path}${name}/`)));
      else found.push([path + name, await handle.getFile()]);
    }
    return found;
  }

  // As a drop shows files and folders: paths to lengths, or to null for a folder that holds nothing.
  function entries(paths) {
    const root = new Map();
    for (const [path, length] of Object.entries(paths)) {
      const parts = path.split('/').filter(Boolean);
      let at = root;
      for (const part of length === null ? parts : parts.slice(0, -1)) {
        if (!at.has(part)) at.set(part, new Map());
        at = at.get(part);
      }
      if (length !== null) at.set(parts.at(-1), new File([new Uint8Array(length).fill(7)], parts.at(-1)));
    }
    const entry = ([name, what]) => {
      if (what instanceof File) return { name, isDirectory: false, file: (resolve) => resolve(what) };
      const inside = [...what].map(entry);
      return { name, isDirectory: true, createReader: () => ({ readEntries: (resolve) => resolve(inside.splice(0, 10)) }) };
    };
    return [...root].map(entry);
  }

  window.lab = {
    connections,
    watch,
    files,
    makeFile,
    sum,

    // What a watched picture has shown: {source, frame, frames: how many different ones, missed, gap: longest time
    // (ms) without a new frame}. `missed` are the most frames missed at once, as far as the page's own camera was
    // shown to move on meanwhile: on a busy machine everything stands still at times, and that is not the network's.
    seen(selector) {
      watch(selector);
      return { ...watched.get(selector) };
    },

    media,

    // Of a picture's frames since the first call: {gap: longest time (ms) between two; width: of the last; switches: [{from, to,
    // at (ms ago), freeze: the longest time between two frames within a second of it}…]}. Chromium only.
    painted(selector) {
      const frames = follow(selector);
      const gaps = frames.slice(1).map(([time], index) => time - frames[index][0]);
      const longest = (from, to) => Math.max(0, ...gaps.filter((_, index) => frames[index + 1][0] >= from && frames[index][0] <= to));
      const switches = [];
      for (let index = 1; index < frames.length; index++) {
        const [[, from], [at, to]] = frames.slice(index - 1, index + 1);
        if (from !== to) switches.push({ from, to, at: Math.round(performance.now() - at), freeze: Math.round(longest(at - 1000, at + 1000)) });
      }
      return { gap: Math.round(longest(-Infinity, Infinity)), width: frames.at(-1)?.[1] ?? null, switches };
    },

    // Begins to count frames, missed and gap anew.
    reset() {
      for (const seen of watched.values()) Object.assign(seen, { frames: 0, missed: 0, gap: 0 });
      for (const frames of painted.values()) frames.splice(0, frames.length - 1);
    },

    // Pulls a device out: what it sends ends, and the page is told.
    unplug(deviceId) {
      unplugged.add(deviceId);
      for (const track of inUse.get(deviceId) ?? []) {
        if (track.readyState === 'ended') continue;
        track.stop();
        track.dispatchEvent(new Event('ended'));
      }
      navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
    },

    // Plugs it in again.
    plug(deviceId) {
      unplugged.delete(deviceId);
      navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
    },

    // Chooses an option of a <select>, as a person would.
    select(selector, value) {
      const select = document.querySelector(selector);
      select.value = value;
      select.dispatchEvent(new Event('change', { bubbles: true }));
    },

    // The loudest sample (0 to 1) that is being decoded from each person who sends sound.
    async heard() {
      return firefox ? levels() : peaks();
    },

    // Drops files and folders, as a hand would: see `entries`.
    drop(selector, paths) {
      const items = entries(paths).map((entry) => ({ kind: 'file', webkitGetAsEntry: () => entry }));
      const event = new Event('drop', { bubbles: true, cancelable: true });
      Object.defineProperty(event, 'dataTransfer', { value: { types: ['Files'], items, files: [] } });
      document.querySelector(selector).dispatchEvent(event);
      return true;
    },

    // Puts a made file into an <input type=file>, as a person's choice would.
    async choose(selector, name, size, seed) {
      const made = await makeFile(name, size, seed);
      const transfer = new DataTransfer();
      transfer.items.add(made);
      const input = document.querySelector(selector);
      input.files = transfer.files;
      input.dispatchEvent(new Event('input', { bubbles: true }));
      input.dispatchEvent(new Event('change', { bubbles: true }));
      return seed === 0 ? null : sum(made);
    },
  };
})();
