// The texts of the interface in English and Vietnamese. An element with data-t holds an English text, which is its own
// key; data-t-label and data-t-placeholder name texts of its attributes. Answers stay in the language of the corpus.
import { get, set } from "./storage.js";
import { vietnamese } from "./vi.js";

const KEY = "gapbot.language";
const wanted = () => get("localStorage", KEY) ?? (navigator.language.toLowerCase().startsWith("vi") ? "vi" : "en");
let language = wanted();

/** Return a text of the interface in the language of the page. */
export const t = (text) => (language === "vi" ? vietnamese[text] ?? text : text);

// Gradio draws anew by changing the elements that stand: what an element says now tells its key, unless it is what was put.
const known = new WeakMap();

function put(element) {
  if (element.hasAttribute("data-t") && element.childElementCount === 0) {
    const now = element.textContent.trim();
    const before = known.get(element);
    const key = element.dataset.t || (before?.shown === now ? before.key : now);
    const text = t(key);
    known.set(element, { key, shown: text });
    if (text && now !== text) element.textContent = text;
  }
  if (element.dataset.tLabel && element.getAttribute("aria-label") !== t(element.dataset.tLabel)) element.setAttribute("aria-label", t(element.dataset.tLabel));
  if (element.dataset.tPlaceholder && element.placeholder !== t(element.dataset.tPlaceholder)) element.placeholder = t(element.dataset.tPlaceholder);
}

const MARKED = "[data-t], [data-t-label], [data-t-placeholder]";
const GRADIO = { "#new": "New chat", "#ask": "Ask", "#stop": "Stop" };

function putAll() {
  document.querySelectorAll(MARKED).forEach(put);
  for (const [selector, text] of Object.entries(GRADIO)) {
    const button = document.querySelector(selector);
    const node = button && [...button.childNodes].find((n) => n.nodeType === Node.TEXT_NODE && n.textContent.trim());
    if (node && node.textContent.trim() !== t(text)) node.textContent = t(text);
  }
  const button = document.querySelector("[data-language]");
  const [other, named] = language === "vi" ? ["en", "English"] : ["vi", "Tiếng Việt"];
  if (button && button.textContent !== other.toUpperCase()) {
    button.textContent = other.toUpperCase();
    button.lang = other;
  }
  if (button && button.getAttribute("aria-label") !== named) button.setAttribute("aria-label", named);
  const box = document.querySelector("#question textarea");
  if (box && box.placeholder !== t("Ask a question")) {
    box.placeholder = t("Ask a question");
    box.setAttribute("aria-label", t("Your question"));
  }
  document.querySelectorAll(".english").forEach((line) => { const text = language === "en" ? "" : t("Answers are in English, the language of the sources."); line.hidden = !text; if (line.textContent !== text) line.textContent = text; });
}

function use(next) {
  language = next;
  document.documentElement.lang = next;
  putAll();
}

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-language]")) return;
  const next = language === "vi" ? "en" : "vi";
  set("localStorage", KEY, next);
  use(next);
});

let due = false;
new MutationObserver(() => {
  if (due) return;
  due = true;
  requestAnimationFrame(() => { due = false; putAll(); });
}).observe(document.documentElement, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["data-t", "aria-label", "placeholder"] });
document.addEventListener("gapbot:ready", () => use(language));
use(language); // what is drawn later is put into the language as it comes
