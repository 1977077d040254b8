/** How loud a microphone is: 0 (silence) to 1, for meters and for marking who speaks. */
export class LevelMeter {
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {AnalyserNode | null} */
  #analyser = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  #samples = new Float32Array(512);
  /** @type {MediaStreamTrack | null} */
  #track = null;

  /** @param {MediaStreamTrack | null} track */
  listen(track) {
    if (track === this.#track) return;
    this.#track = track;
    this.#source?.disconnect();
    this.#source = null;
    if (!track) return;
    this.#context ??= new AudioContext();
    this.#analyser ??= new AnalyserNode(this.#context, { fftSize: 512 });
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.#analyser);
    // A page that has not been clicked yet starts silent; the first click wakes it.
    if (this.#context.state === "suspended") {
      const context = this.#context;
      void context.resume().catch(() => {});
      addEventListener("pointerdown", () => void context.resume().catch(() => {}), { once: true });
    }
  }

  close() {
    this.listen(null);
    void this.#context?.close();
  }

  get level() {
    if (!this.#source || !this.#analyser) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    return perceived(Math.sqrt(sum / this.#samples.length));
  }
}

/** From -60 dB to 0 dB, evenly. @param {number} amplitude 0 to 1 */
export function perceived(amplitude) {
  if (amplitude <= 0.001) return 0;
  return Math.min(1, 1 + (20 * Math.log10(amplitude)) / 60);
}

/** @type {WeakMap<RTCRtpReceiver, number>} which sound of each was measured last, by its timestamp */
const measured = new WeakMap();

/**
 * How loud what has come since the last call is. A browser keeps what it measured last for seconds, whether anything comes or not:
 * the server leaves out who is quieter than others.
 *
 * @param {RTCRtpReceiver | undefined} receiver
 * @returns {number} 0 to 1
 */
export function receivedLevel(receiver) {
  const [source] = receiver?.getSynchronizationSources?.() ?? [];
  if (!receiver || !source?.audioLevel || measured.get(receiver) === source.rtpTimestamp) return 0;
  measured.set(receiver, source.rtpTimestamp);
  return perceived(source.audioLevel);
}
