// Resident memory of a browser's processes, from /proc.

import { readFileSync, readdirSync } from 'node:fs';

// {tabs: bytes of the largest tab, all: bytes of all processes} of the browser with process id `root`.
export function memory(root) {
  const parents = new Map();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!pid) continue;
    const status = read(`/proc/${pid}/status`);
    const field = (key) => Number(status.match(new RegExp(`^${key}:\\s+(\\d+)`, 'm'))?.[1] ?? 0);
    // File pages (the program itself, mapped files) are shared and reclaimable: a leak is anonymous or shared memory.
    parents.set(pid, { parent: field('PPid'), bytes: 1024 * (field('RssAnon') + field('RssShmem')) });
  }
  let tab = 0;
  let all = 0;
  for (const [pid, { bytes }] of parents) {
    if (!descends(parents, pid, root)) continue;
    all += bytes;
    const commandLine = read(`/proc/${pid}/cmdline`);
    if (commandLine.includes('--type=renderer') || commandLine.includes('-isForBrowser')) tab = Math.max(tab, bytes);
  }
  return { tab, all };
}

function descends(parents, pid, root) {
  for (let at = pid; at; at = parents.get(at)?.parent) {
    if (at === root) return true;
  }
  return false;
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process has ended meanwhile.
    return '';
  }
}
