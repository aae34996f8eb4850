// What the browser keeps. Where it keeps nothing (blocked by a setting, or full), the page remembers until it is closed.
const MEMORY = new Map();

const kept = (which) => { try { return window[which]; } catch { return null; } };

export function get(which, key) {
  try { return kept(which).getItem(key) ?? MEMORY.get(key) ?? null; } catch { return MEMORY.get(key) ?? null; }
}

/** Keep a text, in memory where nothing else takes it; tell whether the browser took it. */
export function set(which, key, value) {
  try { kept(which).setItem(key, value); MEMORY.delete(key); return true; } catch { MEMORY.set(key, value); return false; }
}

export function remove(which, key) {
  MEMORY.delete(key);
  try { kept(which).removeItem(key); } catch { /* it was never kept */ }
}

/** Return a new id. crypto.randomUUID is there over TLS and on this machine alone, not in plain http from another. */
export const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((x) => x.toString(16).padStart(2, "0")).join("");
