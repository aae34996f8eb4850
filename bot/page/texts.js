// The texts of the interface in English and Vietnamese. An element with data-t holds an English text, which is its own
// key; data-t-label and data-t-placeholder name texts of its attributes. Answers stay in the language of the corpus.
import { get, set } from "./storage.js";
import { vietnamese } from "./vi.js";

const KEY = "gapbot.language";
const wanted = () => get("localStorage", KEY) ?? (navigator.language.toLowerCase().startsWith("vi") ? "vi" : "en");
let language = wanted();

/** Return a text of the interface in the language of the page. */
export const t = (text) => (language === "vi" ? vietnamese[text] ?? text : text);

function put(element) {
  if (element.hasAttribute("data-t") && element.childElementCount === 0) {
    element.dataset.t ||= element.textContent.trim();
    const text = t(element.dataset.t);
    if (text && element.textContent !== text) element.textContent = text;
  }
  if (element.dataset.tLabel) element.setAttribute("aria-label", t(element.dataset.tLabel));
  if (element.dataset.tPlaceholder) element.placeholder = t(element.dataset.tPlaceholder);
}

const MARKED = "[data-t], [data-t-label], [data-t-placeholder]";
const GRADIO = { "#new": "New chat", "#ask": "Ask", "#stop": "Stop" };

function putAll(root) {
  if (root.matches?.(MARKED)) put(root);
  root.querySelectorAll?.(MARKED).forEach(put);
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
  button?.setAttribute("aria-label", named);
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
  putAll(document.body);
}

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-language]")) return;
  const next = language === "vi" ? "en" : "vi";
  set("localStorage", KEY, next);
  use(next);
});

new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === Node.ELEMENT_NODE) putAll(node);
}).observe(document.documentElement, { childList: true, subtree: true });
document.addEventListener("gapbot:ready", () => use(language));
use(language); // what is drawn later is put into the language as it comes
