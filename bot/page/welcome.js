// The welcome: questions to begin with, by topic. The server has tried each of them, which takes a moment after its start.
import { t } from "./texts.js";

const PATIENCE = 400;
let topics = null;

async function fetched() {
  const reply = await fetch("/page/starters").catch(() => null);
  return reply?.ok ? (await reply.json()).topics : [];
}

const made = (tag, values, ...children) => {
  const element = Object.assign(document.createElement(tag), values);
  element.append(...children);
  return element;
};

function drawn({ topic, questions }) {
  const title = made("h3", { textContent: t(topic) });
  title.dataset.t = topic;
  return made("li", { className: "topic" }, title, made("ul", { className: "choices" }, ...questions.map((text) => {
    const button = made("button", { type: "button", className: "choice", textContent: text, lang: "en" });
    button.dataset.ask = text;
    return made("li", {}, button);
  })));
}

async function fill() {
  const place = document.querySelector(".welcome .starters:empty");
  if (!place) return;
  const wait = setTimeout(() => { if (!topics) place.before(made("p", { className: "warming", role: "status", textContent: t("Warming up: trying out a few questions …") })); }, PATIENCE);
  topics ??= await fetched();
  clearTimeout(wait);
  document.querySelectorAll(".welcome .warming").forEach((line) => line.remove());
  if (place.isConnected && !place.childElementCount) place.append(...topics.map(drawn));
  if (!topics.length) topics = null; // asked for again with the next new chat
}
document.addEventListener("gapbot:ready", fill);
document.addEventListener("gapbot:turns", fill);
fill();
