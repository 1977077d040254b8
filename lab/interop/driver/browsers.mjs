// How each browser is started: headless, as root, in a namespace without DNS.

import puppeteer from 'puppeteer-core';

// Two tabs in front of nobody must still draw.
const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  // For STUN and TURN over UDP Chromium asks for the name with a dot behind it, which /etc/hosts does not know.
  '--host-resolver-rules=MAP twocan.example. 203.0.113.1',
  '--autoplay-policy=no-user-gesture-required',
];

// What Chromium does not do by itself yet: SCTP's INIT in descriptions (SNAP), DTLS in STUN (SPED).
const aheadArguments = [
  '--enable-features=WebRtcSctpSnap',
  '--force-fieldtrials=WebRTC-IceHandshakeDtls/Enabled/WebRTC-Sctp-Snap/Enabled/',
];

// The NATs under test come after the true addresses, which are told in place of names.
const withAddresses = ['--disable-features=WebRtcHideLocalIpsWithMdns'];

const furtherArguments = {
  chromium: withAddresses,
  'chromium-ahead': [...withAddresses, ...aheadArguments],
  'chromium-with-names': [],
};

const firefoxPreferences = {
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  'media.autoplay.block-webaudio': false,
  'media.navigator.streams.fake': true,
  'dom.min_background_timeout_value': 4,
  'network.dns.disableIPv6': false,
  'app.update.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
};

// Starts a browser with its whole state in the folder `profile`.
export function launch({ browser, executable, profile }) {
  const common = {
    browser: browser === 'firefox' ? 'firefox' : 'chrome',
    executablePath: executable,
    headless: true,
    userDataDir: profile,
    timeout: 60_000,
    protocolTimeout: 600_000,
    // Small: every pixel is painted by the processor, of which all the browsers of a test have two.
    defaultViewport: { width: 640, height: 480 },
    env: { ...process.env, HOME: profile, MOZ_DISABLE_CONTENT_SANDBOX: '1' },
  };
  return browser === 'firefox'
    ? puppeteer.launch({ ...common, extraPrefsFirefox: firefoxPreferences })
    : puppeteer.launch({ ...common, args: [...chromiumArguments, ...furtherArguments[browser]] });
}
