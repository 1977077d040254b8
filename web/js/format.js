/** Numbers in words that people read. */

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** @param {number} bytes @returns {string} decimal units, as disks are sold */
export function formatBytes(bytes) {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** @param {number | null | undefined} bitrate bit/s */
export function formatBitrate(bitrate) {
  if (bitrate === null || bitrate === undefined) return "–";
  if (bitrate >= 999_500) return `${(bitrate / 1e6).toFixed(bitrate >= 9.95e6 ? 0 : 1)} Mbit/s`;
  return `${Math.round(bitrate / 1000)} kbit/s`;
}

/** @param {number | null | undefined} seconds */
export function formatMilliseconds(seconds) {
  return seconds === null || seconds === undefined ? "–" : `${Math.round(seconds * 1000)} ms`;
}

/** @param {number | null | undefined} share 0 to 1 */
export function formatPercent(share) {
  if (share === null || share === undefined) return "–";
  const percent = share * 100;
  return `${percent > 0 && percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** @param {number} seconds @returns {string} e.g. "about 3 min" */
export function formatDuration(seconds) {
  if (!Number.isFinite(seconds)) return "unknown";
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}
