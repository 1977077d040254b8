// Pictures of every page in every state, for a person to look at: on a desktop and on a phone, light and dark. Starts
// the real server and a headless Chromium on this machine's loopback, and needs no root.
//
//   node screens.mjs --out FOLDER [--only NAME,NAME…] [--readme FILE]
//
// The server is `TWOCAN_BIN` (by default target/release/twocan) and serves the pages from this checkout. `--readme`
// writes the picture of a call that README.md shows. What can be told without eyes (something wider than the page,
// a button too small for a thumb, words cut off) is printed.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import puppeteer from 'puppeteer-core';
import { audit } from './audit.mjs';

const { values: options } = parseArgs({
  options: { out: { type: 'string' }, only: { type: 'string' }, readme: { type: 'string' } },
});
const root = fileURLToPath(new URL('../../../', import.meta.url));
const program = process.env.TWOCAN_BIN ?? join(root, 'target/release/twocan');
const people = readFileSync(new URL('./people.js', import.meta.url), 'utf8');
const TOKEN = 'for-the-picture';
const names = ['Ada', 'Ben', 'Cleo', 'Dan'];

const sizes = [
  { name: '1280x800', width: 1280, height: 800, phone: false },
  { name: '360x740', width: 360, height: 740, phone: true },
];
const themes = ['light', 'dark'];

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// The server under the pictures; it can be stopped and started again at the same address.
class Server {
  static async start() {
    const server = new Server();
    server.port = await freePort();
    server.relay = await freePort();
    server.data = mkdtempSync(join(tmpdir(), 'twocan-screens-'));
    await server.run();
    return server;
  }

  async run() {
    this.child = spawn(
      program,
      ['serve', '--http', `127.0.0.1:${this.port}`, '--https', 'off', '--turns', 'off', '--stun-turn', `127.0.0.1:${this.relay}`,
        '--admin-token', TOKEN, '--data-dir', this.data, '--web-dir', join(root, 'web')],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const answer = await fetch(`${this.address}/healthz`).catch(() => null);
      if (answer?.ok) return;
      await pause(50);
    }
    throw new Error('the server does not answer');
  }

  async stop() {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await ended;
  }

  get address() {
    return `http://localhost:${this.port}`;
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const server = await Server.start();
// However this ends, the server is not left behind.
process.on('exit', () => server.child.kill('SIGKILL'));
const browser = await puppeteer.launch({
  executablePath: process.env.TWOCAN_CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  defaultViewport: null,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-background-timer-throttling',
    '--disable-backgrounding-occluded-windows',
    '--disable-renderer-backgrounding',
    '--disable-features=WebRtcHideLocalIpsWithMdns',
    '--autoplay-policy=no-user-gesture-required',
    '--mute-audio',
    '--hide-scrollbars',
    // A name that is not localhost: no secure context.
    '--host-resolver-rules=MAP call.example 127.0.0.1',
  ],
});
const sessions = new WeakMap();
let open = [];
let taken = 0;

// A person's tab; `setup` is put into the page before anything runs there.
async function person(index, path, { setup = '', origin = server.address } = {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  open.push(context);
  page.on('pageerror', (error) => console.log(`${names[index]}: ${error.stack ?? error}`));
  await page.evaluateOnNewDocument(`window.labPerson = ${index};\n${setup}\n${people}`);
  await look(page, sizes[0], themes[0]);
  await page.goto(origin + path, { waitUntil: 'domcontentloaded' });
  return page;
}

const joins = (index, path, more = '') => person(index, `${path}?join=1&name=${names[index]}${more}`);
const until = (page, expression) => page.waitForFunction(expression, { timeout: 60_000, polling: 100 });
const find = (testid) => `[data-testid="${testid}"]`;
const click = (page, testid) => page.locator(find(testid)).click();

async function connected(pages) {
  for (const page of pages) {
    await until(page, `twocan.peers.length === ${pages.length - 1} && twocan.peers.every(({ connection }) => connection === 'connected')`);
  }
}

// Everybody's picture moves where it is shown.
const seen = (page, count) => until(page, `[...document.querySelectorAll('video')].filter((video) => video.videoWidth > 0).length >= ${count}`);

async function look(page, { width, height, phone }, theme) {
  // What is emulated lasts as long as its session.
  if (!sessions.has(page)) sessions.set(page, await page.createCDPSession());
  const client = sessions.get(page);
  await client.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: phone ? 2 : 1, mobile: phone });
  await client.send('Emulation.setTouchEmulationEnabled', { enabled: phone });
  await client.send('Emulation.setEmulatedMedia', {
    features: [
      { name: 'prefers-color-scheme', value: theme },
      // Nothing half-way through a movement.
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ],
  });
}

async function take(page, name) {
  if (!options.out) return;
  await page.bringToFront();
  for (const size of sizes) {
    for (const theme of themes) {
      await look(page, size, theme);
      await page.evaluate(async () => {
        for (let frame = 0; frame < 6; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
      });
      // Tiles are measured, plots drawn, sizes of videos renegotiated.
      await pause(350);
      await page.screenshot({ path: join(options.out, `${name}-${size.name}-${theme}.png`) });
      for (const fault of await page.evaluate(audit, { phone: size.phone })) console.log(`${name} ${size.name} ${theme}: ${fault}`);
      taken += 1;
    }
  }
  await look(page, sizes[0], themes[0]);
}

async function clear() {
  for (const context of open) await context.close().catch(() => {});
  open = [];
}

async function call(count, room, more = '') {
  const pages = [];
  for (let index = 0; index < count; index += 1) pages.push(await joins(index, `/r/${room}`, more));
  await connected(pages);
  await seen(pages[0], count);
  return pages;
}

const MIB = 1 << 20;
// Puts a made file into the page's file input.
const choose = (page, name, mib) =>
  page.evaluate(
    (selector, fileName, count, bytes) => {
      const block = new Blob([new Uint8Array(bytes)]);
      const transfer = new DataTransfer();
      transfer.items.add(new File(Array(count).fill(block), fileName));
      const input = document.querySelector(selector);
      input.files = transfer.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    },
    find('file-input'), name, mib, MIB,
  );

// Folders on this computer's disk, to be chosen or dropped: paths and their sizes in KiB.
function folder(files) {
  const root = mkdtempSync(join(server.data, 'folder-'));
  for (const [path, size] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), Buffer.alloc(size * 1024));
  }
  return root;
}

// Drops files and folders of the disk on the page, as a hand would.
async function drop(page, ...paths) {
  const client = sessions.get(page);
  const { x, y } = await page.$eval(find('send-drop'), (element) => {
    const { left, top } = element.getBoundingClientRect();
    return { x: left + 20, y: top + 20 };
  });
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await client.send('Input.dispatchDragEvent', { type, x, y, data });
}

// Instead of the dialog that nobody could answer: a folder in the page's own storage.
const CHOOSES = `window.showDirectoryPicker = async () => (await navigator.storage.getDirectory()).getDirectoryHandle('chosen', { create: true });`;

const scenes = {
  async start() {
    await take(await person(0, '/'), 'start');
  },

  async missing() {
    await take(await person(0, '/nowhere'), 'missing');
  },

  async prejoin() {
    const page = await person(0, '/r/tea-with-ben?name=Ada');
    await seen(page, 1);
    await take(page, 'prejoin');
  },

  async 'prejoin-denied'() {
    const page = await person(0, '/r/tea-with-ben', { setup: "window.labRefusal = 'NotAllowedError';" });
    await until(page, "document.querySelector('[data-code=permission-denied]')");
    await take(page, 'prejoin-denied');
  },

  async 'prejoin-no-camera'() {
    const page = await person(0, '/r/tea-with-ben', { setup: "window.labRefusal = 'NotFoundError';" });
    await until(page, "document.querySelector('[data-code=no-camera]')");
    await take(page, 'prejoin-no-camera');
  },

  async 'prejoin-insecure'() {
    const page = await person(0, '/r/tea-with-ben', { origin: `http://call.example:${server.port}` });
    await until(page, "document.querySelector('[data-code=insecure-context]')");
    await take(page, 'prejoin-insecure');
  },

  async 'bad-room'() {
    await take(await person(0, '/r/tea%20with%20ben'), 'bad-room');
  },

  async alone() {
    const page = await joins(0, '/r/tea-with-ben');
    await until(page, "twocan.stage === 'joined'");
    await take(page, 'alone');
    await click(page, 'leave');
    await take(page, 'left');
  },

  async two() {
    const [ada, ben] = await call(2, 'tea-with-ben');
    await take(ada, 'two');
    await click(ben, 'camera');
    await click(ben, 'mic');
    await until(ada, '!twocan.peers[0].remote.camera && !twocan.peers[0].remote.mic');
    await take(ada, 'two-camera-off');
  },

  async four() {
    const pages = await call(4, 'allotment');
    const [ada, ben, cleo, dan] = pages;
    await pause(3_000);
    await take(ada, 'four');
    for (const [page, words] of [[ben, 'Shall I bring the drill?'], [cleo, 'Yes please, and the long ladder'], [dan, 'The plan is at https://example.org/a-rather-long-address/that-does-not-break-anywhere/garden-plan.pdf'], [ben, 'See you at nine then']]) {
      await page.bringToFront();
      if (!(await page.$(`${find('chat')}[aria-expanded=true]`))) await click(page, 'chat');
      await page.type(find('chat-input'), words);
      await page.keyboard.press('Enter');
    }
    await ada.bringToFront();
    await until(ada, "document.querySelectorAll('[data-testid=chat-message]').length === 4");
    await click(ada, 'chat');
    await ada.type(find('chat-input'), 'Nine it is. I have the key.');
    await ada.keyboard.press('Enter');
    await take(ada, 'four-chat');
    await click(ada, 'details');
    await pause(4_000);
    await take(ada, 'four-details');
    await click(ada, 'devices');
    await take(ada, 'four-devices');
    await click(ada, 'devices');
    await click(ben, 'screen');
    await until(ada, "document.querySelectorAll('[data-testid=tile][data-kind=screen] video').length === 1");
    await seen(ada, 5);
    await pause(3_000);
    await take(ada, 'four-screen');
  },

  async five() {
    const pages = await call(4, 'garden-club');
    pages.push(await person(0, '/r/garden-club?join=1&name=Eve'));
    const [ada, ben] = pages;
    for (const page of pages) await until(page, "twocan.peers.length === 4 && twocan.peers.every(({ via, connection }) => via === 'server' && connection === 'connected')");
    await ada.bringToFront();
    await seen(ada, 5);
    await click(ben, 'hand');
    await pause(4_000);
    await take(ada, 'five');
    await click(ada, 'details');
    await pause(4_000);
    await take(ada, 'five-details');
    await click(ada, 'details');
    await click(ada, 'speaker-view');
    await take(ada, 'five-speaker');
    const admin = await person(0, `/admin#${TOKEN}`);
    await until(admin, "document.querySelectorAll('[data-testid=admin-room] tbody tr').length > 5");
    await pause(8_000);
    await take(admin, 'admin');
  },

  async 'admin-token'() {
    const page = await person(0, '/admin');
    await until(page, "!document.querySelector('[data-testid=admin-form]').hidden");
    await take(page, 'admin-token');
  },

  async sealed() {
    const page = await person(0, '/r/tea-with-ben?name=Ada&join=1#k3m9x-7qv2t-h4n80-2wx1z');
    await until(page, "twocan.stage === 'joined'");
    await take(page, 'sealed');
  },

  async files() {
    const [ada, ben] = await call(2, 'tea-with-ben', '&files=memory');
    await choose(ben, 'notes.txt', 1);
    await until(ada, 'twocan.transfers.length === 1');
    await click(ada, 'transfer-accept');
    await until(ada, "twocan.transfers[0].state === 'done'");
    await choose(ben, 'holiday film, a first cut with the sea and everything else in it.mov', 700);
    await until(ada, 'twocan.transfers.length === 2');
    await take(ada, 'files-offer');
    await click(ada, 'transfer-accept');
    await choose(ada, 'photographs.zip', 40);
    await until(ada, 'twocan.transfers[1].done > 20e6');
    await take(ada, 'files');
  },

  async 'server-gone'() {
    const [ada, ben] = await call(2, 'tea-with-ben');
    const late = await person(2, '/r/tea-with-ben?name=Cleo');
    await seen(late, 1);
    await server.stop();
    await until(ada, "twocan.signaling.state === 'reconnecting'");
    await take(ada, 'server-gone');
    await click(late, 'join');
    await until(late, "document.querySelector('[data-code=server-gone]')");
    await take(late, 'server-gone-prejoin');
    await server.run();
    await until(ben, "twocan.signaling.state === 'joined'");
  },

  async 'relay-unreachable'() {
    await joins(1, '/r/tea-with-ben');
    const page = await person(0, '/r/tea-with-ben?join=1&name=Ada&relay=1', { setup: 'window.labDeadRelay = true;' });
    await until(page, "document.querySelector('[data-code=relay-unreachable]')");
    await take(page, 'relay-unreachable');
  },

  async locked() {
    await joins(1, '/r/locked', '&password=sesame');
    const page = await joins(0, '/r/locked');
    await until(page, "document.querySelector('[data-code=wrong-password]')");
    await take(page, 'locked');
  },

  async live() {
    const waiting = await joins(1, '/live/garden-show');
    await until(waiting, "twocan.stage === 'joined'");
    await take(waiting, 'live-waiting');
    await clear();
    const choosing = await person(0, '/live/garden-show?name=Ada');
    await until(choosing, "document.querySelector('[data-testid=live-stream]')");
    await take(choosing, 'live-choose');
    await click(choosing, 'live-stream');
    await seen(choosing, 1);
    await take(choosing, 'live-prejoin');
    await click(choosing, 'join');
    await until(choosing, "twocan.stage === 'joined'");
    await take(choosing, 'live-alone');
    const viewers = [await joins(1, '/live/garden-show'), await joins(2, '/live/garden-show')];
    for (const viewer of viewers) await seen(viewer, 1);
    await until(choosing, 'twocan.room.audience === 2');
    await pause(2_500);
    await take(choosing, 'live-streamer');
    await take(viewers[0], 'live-viewer');
    const rival = await joins(3, '/live/garden-show', '&role=streamer');
    await until(rival, "document.querySelector('[data-code=role-taken]')");
    await take(rival, 'live-role-taken');
  },

  async random() {
    const page = await person(0, '/random?name=Ada');
    await seen(page, 1);
    await take(page, 'random');
    await click(page, 'lobby-start');
    await until(page, "twocan.stage === 'waiting'");
    await take(page, 'random-waiting');
    const other = await joins(2, '/random');
    await connected([page, other]);
    await seen(page, 2);
    await take(page, 'random-matched');
  },

  async send() {
    const named = await joins(2, '/send/attic', '&files=memory');
    await until(named, "twocan.stage === 'joined'");
    await take(named, 'send-by-name');
    const halved = await joins(2, '/send', '&files=memory#k3m9x-7qv2t');
    await until(halved, "document.querySelector('[data-code=bad-code]')");
    await take(halved, 'send-bad-code');
    const ada = await joins(0, '/send', '&files=memory');
    await until(ada, "twocan.stage === 'joined'");
    await take(ada, 'send');
    // Who knows the room, but not the code.
    const [wary, room] = [await joins(3, '/send', '&files=memory'), 'twocan.room.name'];
    await until(wary, "twocan.stage === 'joined'");
    await joins(2, `/send/${await wary.evaluate(room)}`, '&files=memory');
    await until(wary, "document.querySelector('[data-code=tampered]')");
    await take(wary, 'send-tampered');
    const ben = await joins(1, '/send', `&files=memory${await ada.evaluate('location.hash')}`);
    await until(ada, "twocan.peers[0]?.channel === 'open'");
    await until(ben, "twocan.peers[0]?.channel === 'open'");
    await choose(ben, 'letters from the attic, scanned.pdf', 2);
    await until(ada, 'twocan.transfers.length === 1');
    await take(ada, 'send-offered');
    await click(ada, 'transfer-accept');
    await until(ada, "twocan.transfers[0].state === 'done'");
    await choose(ada, 'family-film-1987.mov', 700);
    await until(ben, 'twocan.transfers.length === 2');
    await take(ada, 'send-waiting');
    await click(ben, 'transfer-accept');
    await until(ada, 'twocan.transfers[1].done > 20e6');
    await take(ada, 'send-active');
    await click(ada, 'transfer-cancel');
    await choose(ada, 'garden.jpg', 3);
    await until(ben, 'twocan.transfers.length === 3');
    await click(ben, 'transfer-accept');
    await until(ada, "twocan.transfers[2].state === 'done'");
    await take(ada, 'send-done');
  },

  async folders() {
    const ada = await person(0, '/send?join=1&name=Ada', { setup: CHOOSES });
    await until(ada, "twocan.stage === 'joined'");
    const ben = await joins(1, '/send', `&files=memory${await ada.evaluate('location.hash')}`);
    for (const page of [ada, ben]) await until(page, "twocan.peers[0]?.channel === 'open'");
    const names = ['beach.jpg', 'the long way down to the harbour, in the rain.jpg', 'day 2/castle.jpg', 'day 2/evening/supper.jpg', 'notes.txt'];
    const photos = folder(Object.fromEntries(names.map((name, index) => [`holiday/${name}`, 300 * index])));
    mkdirSync(join(photos, 'holiday/day 3'));
    await drop(ben, join(photos, 'holiday'));
    await until(ada, 'twocan.batches.length === 1');
    await take(ada, 'send-folder-offered');
    await take(ben, 'send-folder-waiting');
    // One of its name is there.
    await ada.evaluate(async () => {
      let at = await window.showDirectoryPicker();
      for (const part of ['holiday', 'day 2']) at = await at.getDirectoryHandle(part, { create: true });
      await at.getFileHandle('castle.jpg', { create: true });
    });
    await click(ada, 'transfer-accept');
    await until(ada, "document.querySelector('[data-testid=existing]')");
    await take(ada, 'send-folder-existing');
    await click(ada, 'existing-keep-both');
    await until(ada, "twocan.batches[0].state === 'done'");
    await ada.locator(`${find('batch-details')} summary`).click();
    await take(ada, 'send-folder-done');
    console.log(JSON.stringify(await ada.evaluate(async () => {
      const list = async (at, above = '') => {
        const found = [];
        for await (const [name, handle] of at.entries()) {
          if (handle.kind === 'directory') found.push(`${above}${name}/`, ...(await list(handle, `${above}${name}/`)));
          else found.push(`${above}${name}: ${(await handle.getFile()).size}`);
        }
        return found.sort();
      };
      return list(await window.showDirectoryPicker());
    })));

    // Through the button; some of it is gone before it is sent.
    const film = folder({ 'film/first cut.mov': 60_000, 'film/second cut.mov': 60_000, 'film/sound/sea.wav': 20_000, 'film/title.txt': 1 });
    await (await ben.$(find('folder-input'))).uploadFile(join(film, 'film'));
    await until(ada, 'twocan.batches.length === 2');
    rmSync(join(film, 'film/title.txt'));
    await click(ada, 'transfer-accept-zip');
    await until(ada, 'twocan.batches[1].done > 8e6');
    await take(ada, 'send-folder-active');
    await take(ben, 'send-folder-sending');
    await until(ada, "twocan.batches[1].state === 'failed'");
    await ada.locator(`${find('batch')}:first-child summary`).click();
    await take(ada, 'send-folder-partly');
  },

  async check() {
    const page = await person(0, '/check');
    await until(page, '!twocan.check.running');
    // Until the picture is taken nobody tells the page what there is to check.
    let held;
    await page.setRequestInterception(true);
    page.on('request', (request) => {
      if (request.url().endsWith('/api/info')) held = request;
      else void request.continue();
    });
    await click(page, 'check-run');
    await until(page, 'twocan.check.running');
    await take(page, 'check-running');
    await held.continue();
    await until(page, '!twocan.check.running');
    await take(page, 'check');
  },

  async readme() {
    const [ada] = await call(4, 'allotment');
    // Until the pictures are as sharp as they get, and nobody is announced any more.
    await pause(8_000);
    await ada.bringToFront();
    await look(ada, { width: 920, height: 576, phone: false }, 'light');
    // As if a mouse lay still: no keyboard focus, nothing that a pointer would call up.
    await ada.evaluate(() => document.activeElement?.blur());
    await pause(1_500);
    if (!options.readme) return;
    await ada.screenshot({ path: options.readme });
    console.log(`${options.readme}: ${statSync(options.readme).size} bytes`);
  },
};

try {
  if (options.out) mkdirSync(options.out, { recursive: true });
  const wanted = options.only?.split(',') ?? (options.out ? Object.keys(scenes) : ['readme']);
  for (const name of wanted) {
    try {
      if (!Object.hasOwn(scenes, name)) throw new Error(`no such scene: there are ${Object.keys(scenes).join(', ')}`);
      await scenes[name]();
    } catch (error) {
      console.log(`${name}: ${error.stack ?? error}`);
      process.exitCode = 1;
    }
    await clear();
  }
  console.log(`${taken} pictures`);
} finally {
  await browser.close();
  await server.stop();
  rmSync(server.data, { recursive: true, force: true });
}
