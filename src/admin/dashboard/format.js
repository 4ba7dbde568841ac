// Numbers and times as people read them.

export function duration(seconds) {
  const total = Math.max(0, Math.floor(seconds));
  const pair = (big, unit, small, rest) => `${big}${unit}${small > 0 ? ` ${small}${rest}` : ""}`;
  if (total < 60) return `${total}s`;
  if (total < 3600) return pair(Math.floor(total / 60), "m", total % 60, "s");
  if (total < 86400) return pair(Math.floor(total / 3600), "h", Math.floor((total % 3600) / 60), "m");
  return pair(Math.floor(total / 86400), "d", Math.floor((total % 86400) / 3600), "h");
}

// A duration of one unit: for what is redrawn each second and nobody counts along.
export function roughly(seconds) {
  const total = Math.max(0, Math.floor(seconds));
  if (total < 120) return `${total}s`;
  if (total < 7200) return `${Math.floor(total / 60)}m`;
  if (total < 172800) return `${Math.floor(total / 3600)}h`;
  return `${Math.floor(total / 86400)}d`;
}

export function number(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)}k`;
  if (value >= 10 || value === 0 || Number.isInteger(value)) return String(Math.round(value));
  return value.toFixed(1);
}

export function percent(share) {
  if (share === null || share === undefined) return "–";
  const value = share * 100;
  if (value === 0) return "0%";
  if (value < 0.1) return "<0.1%";
  return value < 10 ? `${value.toFixed(1)}%` : `${Math.round(value)}%`;
}

export function milliseconds(value) {
  if (value === null || value === undefined) return "–";
  if (value <= 1) return "≤1ms";
  if (value >= 10000) return "≥10s";
  if (value >= 1000) return `${(value / 1000).toFixed(1)}s`;
  return `${Math.round(value)}ms`;
}

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
}

export function plural(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}
