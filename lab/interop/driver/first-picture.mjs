// How long somebody who joins waits for the first picture, in a call whose media go through the server or directly, on this
// machine's loopback: from the moment at which the page asks to join until a frame of another person is painted.
//
//   node first-picture.mjs [--rounds N] [--policy sfu|p2p]
//
// The server is `TWOCAN_BIN` (by default target/release/twocan). Prints each time and the median, in milliseconds.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import puppeteer from 'puppeteer-core';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '11' }, policy: { type: 'string', default: 'sfu' } },
});
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
  ['serve', '--http', `127.0.0.1:${port}`, '--https', 'off', '--turns', 'off', '--stun-turn', 'off', '--data-dir', data, '--web-dir', join(root, 'web')],
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

// Notes when the page asks to join, and when the first frame of somebody else is painted.
const CLOCK = `
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    if (window.firstAsked === undefined && String(text).includes('"type":"join"')) window.firstAsked = performance.now();
    return send.call(this, text);
  };
  setInterval(() => {
    const video = document.querySelector('[data-testid=tile]:not([data-peer=self]) video');
    if (!video || video.labWatched) return;
    video.labWatched = true;
    video.requestVideoFrameCallback((now) => { window.firstSeen ??= now; });
  }, 1);`;

async function person(index, name) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.evaluateOnNewDocument(`window.labPerson = ${index};\n${people}\n${CLOCK}`);
  await page.goto(`http://localhost:${port}/r/first?join=1&name=${name}`, { waitUntil: 'domcontentloaded' });
  return { page, context };
}

const until = (page, expression) => page.waitForFunction(expression, { timeout: 60_000, polling: 50 });

const ada = await person(0, 'Ada');
await until(ada.page, "twocan.stage === 'joined'");
const ben = await person(1, 'Ben');
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

const times = [];
for (let round = 0; round < Number(options.rounds); round += 1) {
  const cleo = await person(2, 'Cleo');
  // The page is looked at.
  await cleo.page.bringToFront();
  await until(cleo.page, 'window.firstSeen !== undefined');
  const waited = await cleo.page.evaluate(() => window.firstSeen - window.firstAsked);
  times.push(waited);
  console.log(Math.round(waited));
  await cleo.context.close();
  await until(ada.page, 'twocan.peers.length === 1');
  await pause(500);
}
times.sort((one, other) => one - other);
console.log(`${options.policy}: median ${Math.round(times[Math.floor(times.length / 2)])} ms of ${times.length}`);
await ben.context.close();
await browser.close();
server.kill();
