// Drives one browser. Runs inside a client's network namespace and speaks JSON lines with the test.
//
// In:  {"id": 1, "op": "eval", "page": 0, "expression": "1 + 1"}
// Out: {"id": 1, "value": 2}, or {"id": 1, "error": "words"}; meanwhile {"event": "console", "page": 0, "text": "…"}
//
// Operations run as they come, side by side; the test asks one thing at a time.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { launch } from './browsers.mjs';
import { memory } from './memory.mjs';

const inPage = readFileSync(new URL('./in-page.js', import.meta.url), 'utf8');

let browser = null;
const pages = [];

const operations = {
  // Starts the browser. {browser, executable, profile}
  async launch(options) {
    browser = await launch(options);
    return { version: await browser.version() };
  },

  // Opens a page, with `in-page.js` in each document before the document's own scripts. A `fresh` one shares
  // nothing (storage, cookies) with the others; a page that is not fresh keeps its files on disk. {source, fresh}
  async page({ source, fresh }) {
    const context = fresh ? await browser.createBrowserContext() : browser.defaultBrowserContext();
    const page = await context.newPage();
    const number = pages.push({ page, context: fresh ? context : null }) - 1;
    page.on('console', (message) => tell({ event: 'console', page: number, text: message.text() }));
    page.on('pageerror', (error) => tell({ event: 'error', page: number, text: String(error.stack ?? error) }));
    await page.evaluateOnNewDocument(`window.labSource = ${Number(source)};\n${inPage}`);
    return number;
  },

  // Serves one page on this namespace's localhost, which counts as secure; returns its address. {html}
  async serve({ html }) {
    const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(html));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://localhost:${server.address().port}/`;
  },

  async goto({ page, url, deadline }) {
    const tab = pages[page].page;
    for (let attempt = 1; ; attempt += 1) {
      // Chromium drops what it is loading when its network changes, as a network that has just come up may.
      let interrupted = false;
      const note = (request) => {
        interrupted ||= request.failure()?.errorText?.includes('NETWORK_CHANGED') ?? false;
      };
      tab.on('requestfailed', note);
      try {
        await tab.goto(url, { timeout: deadline, waitUntil: 'domcontentloaded' });
      } catch (error) {
        if (!interrupted || attempt === 5) throw error;
      } finally {
        tab.off('requestfailed', note);
      }
      if (!interrupted || attempt === 5) break;
    }
  },

  // The value of an expression, which may be a promise, as JSON.
  async eval({ page, expression }) {
    return evaluate(page, expression);
  },

  // Asks again and again until the expression is true (or anything but false, null, 0, ''), and returns its value.
  async wait({ page, expression, deadline, describe }) {
    const end = Date.now() + deadline;
    let last = 'never evaluated';
    while (Date.now() < end) {
      try {
        const value = await evaluate(page, expression);
        if (value) return value;
        last = JSON.stringify(value);
      } catch (error) {
        // The document is being replaced, or its module has not loaded yet.
        last = error.message;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    let state = '';
    try {
      state = JSON.stringify(await evaluate(page, describe), null, 1);
    } catch (error) {
      state = error.message;
    }
    throw new Error(`waited ${deadline} ms for: ${expression}\nlast: ${last}\nstate: ${state}`);
  },

  // A real click, which counts as a person's.
  async click({ page, selector, deadline }) {
    const element = await pages[page].page.waitForSelector(selector, { visible: true, timeout: deadline });
    await element.click();
  },

  async type({ page, selector, text }) {
    await pages[page].page.type(selector, text);
  },

  // Chooses a file of this machine in an <input type=file>.
  async upload({ page, selector, file }) {
    const input = await pages[page].page.$(selector);
    await input.uploadFile(file);
  },

  async screenshot({ page, path }) {
    await pages[page].page.screenshot({ path });
  },

  // Has a Chromium tab drop what nobody refers to any more.
  async collect({ page }) {
    const session = await pages[page].page.createCDPSession();
    await session.send('HeapProfiler.collectGarbage');
    await session.detach();
  },

  // Resident bytes: of each tab's process and of all the browser's processes together.
  async memory() {
    return memory(browser.process().pid);
  },

  async closePage({ page }) {
    const { page: handle, context } = pages[page];
    await handle.close();
    await context?.close();
  },

  async close() {
    await browser?.close();
    browser = null;
  },
};

async function evaluate(page, expression) {
  // Through a function, so that an undefined result is null, and a promise is awaited.
  return pages[page].page.evaluate(`(async () => { const value = await (${expression}); return value ?? null; })()`);
}

function tell(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

const input = createInterface({ input: process.stdin });
input.on('line', async (line) => {
  const { id, op, ...options } = JSON.parse(line);
  try {
    tell({ id, value: (await operations[op](options)) ?? null });
  } catch (error) {
    tell({ id, error: String(error.message ?? error) });
  }
});
// The test is gone, or done.
input.on('close', async () => {
  await Promise.race([browser?.close(), new Promise((resolve) => setTimeout(resolve, 5000))]).catch(() => {});
  process.exit(0);
});
