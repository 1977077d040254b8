// How long somebody who joins waits for the first picture, in a call whose media go through the server or directly, on this
// machine's loopback: from the moment at which the page asks to join (a WebSocket after the click on “Join”) until a frame of another person is painted.
//
//   node first-picture.mjs [--rounds N] [--policy sfu|p2p] [--verbose] [--web FOLDER]
//
// The server is `TWOCAN_BIN` (by default target/release/twocan). Prints each time, and the medians of the
// stages on the way, in milliseconds.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import puppeteer from 'puppeteer-core';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '11' }, policy: { type: 'string', default: 'sfu' }, verbose: { type: 'boolean' }, web: { type: 'string' } },
});
// In the order in which they come about.
const STAGES = {
  clicked: 'the person clicks on “Join”',
  joined: 'the server has let us in',
  offer: 'the offer to the forwarder is made and sent',
  answer: 'its answer is here',
  agreed: 'the browser has taken the answer',
  ice: 'a path is found',
  connected: 'both ends have proved who they are (DTLS)',
  watch: 'the server is told what is wanted',
  frame: 'the first frame is here, whole',
  painted: 'it is painted',
};
const root = fileURLToPath(new URL('../../../', import.meta.url));
const program = process.env.TWOCAN_BIN ?? join(root, 'target/release/twocan');
const people = readFileSync(new URL('./people.js', import.meta.url), 'utf8');

const listener = createServer();
await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
const { port } = listener.address();
await new Promise((resolve) => listener.close(resolve));
const data = mkdtempSync(join(tmpdir(), 'twocan-first-'));
const server = spawn(
  program,
  ['serve', '--http', `127.0.0.1:${port}`, '--https', 'off', '--turns', 'off', '--stun-turn', 'off', '--data-dir', data, '--web-dir', options.web ?? join(root, 'web')],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
process.on('exit', () => {
  server.kill('SIGKILL');
  rmSync(data, { recursive: true, force: true });
});
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
while (!(await fetch(`http://localhost:${port}/healthz`).catch(() => null))?.ok) await pause(50);

const browser = await puppeteer.launch({
  executablePath: process.env.TWOCAN_CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows',
    '--disable-renderer-backgrounding', '--disable-features=WebRtcHideLocalIpsWithMdns', '--autoplay-policy=no-user-gesture-required', '--mute-audio',
  ],
});

// Notes when each stage is over, in milliseconds of the page's own clock; `window.firstSeen` is the last.
const CLOCK = `
  window.firstStages = {};
  addEventListener('click', () => note('clicked'), true);
  const note = (stage, at = performance.now()) => { window.firstStages[stage] ??= at; };
  const POSSIBLE = { join: 'asked', media_offer: 'offer', media_watch: 'watch', joined: 'joined', media_answer: 'answer', media_publications: 'published' };
  const typeOf = (text) => /"type":"(\\w+)"/.exec(String(text).slice(0, 400))?.[1] ?? /"type":"(\\w+)"/.exec(String(text))?.[1];
  window.WebSocket = class extends WebSocket {
    constructor(...parameters) {
      super(...parameters);
      // Before the page's own: what it does with a message comes after.
      this.addEventListener('message', ({ data }) => note(POSSIBLE[typeOf(data)] ?? 'other'));
    }
    send(text) {
      note(POSSIBLE[typeOf(text)] ?? 'other');
      super.send(text);
    }
  };
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...parameters) {
      super(...parameters);
      window.firstConnections = (window.firstConnections ?? 0) + 1;
      this.addEventListener('iceconnectionstatechange', () => this.iceConnectionState === 'connected' && note('ice'));
      this.addEventListener('connectionstatechange', () => this.connectionState === 'connected' && note('connected'));
    }
    async setRemoteDescription(description) {
      await super.setRemoteDescription(description);
      note('agreed');
    }
  };
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) (window.firstTasks ??= []).push([Math.round(startTime), Math.round(duration)]);
  }).observe({ type: 'longtask', buffered: true });
  setInterval(() => {
    const video = document.querySelector('[data-testid=tile]:not([data-peer=self]) video');
    if (!video || video.labWatched) return;
    video.labWatched = true;
    video.requestVideoFrameCallback((now, { receiveTime }) => {
      if (receiveTime) note('frame', receiveTime);
      note('painted', now);
    });
  }, 1);`;

async function person(index, name) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.evaluateOnNewDocument(`window.labPerson = ${index}; window.labRate = 24;\n${people}\n${CLOCK}`);
  return { page, context, address: `http://localhost:${port}/r/first?name=${name}` };
}

const until = (page, expression) => page.waitForFunction(expression, { timeout: 60_000, polling: 50 });

async function inRoom(index, name) {
  const { page, context, address } = await person(index, name);
  await page.goto(`${address}&join=1`, { waitUntil: 'domcontentloaded' });
  return { page, context };
}

const ada = await inRoom(0, 'Ada');
await until(ada.page, "twocan.stage === 'joined'");
const ben = await inRoom(1, 'Ben');
await until(ada.page, "twocan.peers[0]?.connection === 'connected'");
await ada.page.evaluate((policy) => {
  document.querySelector('[data-testid=details]').click();
  const select = document.querySelector('[data-testid=way-policy]');
  select.value = policy;
  select.dispatchEvent(new Event('change', { bubbles: true }));
}, options.policy);
const via = options.policy === 'sfu' ? 'server' : 'direct';
await until(ada.page, `twocan.peers.every((peer) => peer.via === '${via}')`);
await pause(2_000);

const rounds = [];
for (let round = 0; round < Number(options.rounds); round += 1) {
  const cleo = await person(2, 'Cleo');
  // A window of this browser's takes a second to come up, and so long the person looks into the mirror, too.
  await cleo.page.bringToFront();
  await pause(1_500);
  await cleo.page.goto(cleo.address, { waitUntil: 'load' });
  await pause(1_500);
  await cleo.page.click('[data-testid=join]');
  await until(cleo.page, 'window.firstStages.painted !== undefined');
  const stages = await cleo.page.evaluate(() => window.firstStages);
  if (options.verbose) console.log(JSON.stringify(await cleo.page.evaluate(() => [window.firstTasks, window.firstStages])));
  rounds.push(stages);
  console.log(Math.round(stages.painted - stages.asked));
  await cleo.context.close();
  await until(ada.page, 'twocan.peers.length === 1');
  await pause(500);
}
const median = (values) => values.sort((one, other) => one - other)[Math.floor(values.length / 2)];
const sum = (stage) => Math.round(median(rounds.map((stages) => (stages[stage] ?? NaN) - stages.asked)));
console.log(`\n${options.policy}, ms since the page asked to join, medians of ${rounds.length}:`);
for (const [stage, words] of Object.entries(STAGES)) console.log(`${String(sum(stage)).padStart(6)}  ${words}`);
await ben.context.close();
await browser.close();
server.kill();
