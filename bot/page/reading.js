// Reading an answer beside its sources: what belongs together lights up together, documents open in place, questions
// that lead on are offered, and a finished answer is told to screen readers once.
import { t } from "./texts.js";

const $ = (selector, root = document) => root.querySelector(selector);

// Marker and passage point at each other, by the mouse and by the focus alike.
function twins(event, on) {
  const link = event.target.closest?.('a[href^="#cite-"]');
  const card = event.target.closest?.("#sources .card");
  const name = link ? link.getAttribute("href").slice(1) : card?.id;
  if (!name) return;
  document.getElementById(name)?.classList.toggle("near-by", on);
  document.querySelectorAll(`#transcript a[href="#${CSS.escape(name)}"]`).forEach((a) => a.classList.toggle("near-by", on));
}
for (const [name, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
  document.addEventListener(name, (event) => twins(event, on));
}

// Arrow keys go from one marker to the next.
document.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const group = event.target.matches?.("a.cite") ? "#transcript a.cite" : event.target.matches?.("#sources .card") ? "#sources .card" : null;
  if (!step || !group) return;
  const all = [...document.querySelectorAll(group)];
  const next = all[all.indexOf(event.target) + step];
  if (next) { event.preventDefault(); next.focus({ focusVisible: true }); next.scrollIntoView({ block: "nearest" }); }
});

async function copied(button, text) {
  if (!button.dataset.before) button.dataset.before = button.innerText;
  try { await navigator.clipboard.writeText(text); button.innerText = t("Copied"); } catch { button.innerText = t("Copying is blocked here"); }
  setTimeout(() => { if (button.dataset.before) { button.innerText = button.dataset.before; delete button.dataset.before; } }, 1600);
}

function answerText(button) {
  const said = (element) => {
    const copy = element.cloneNode(true);
    copy.querySelectorAll("a.cite").forEach((a) => { a.textContent = `[${a.textContent.trim()}]`; });
    return copy.textContent.replace(/\s+/g, " ").trim();
  };
  const lines = [...button.closest(".answer").querySelectorAll(".short, .prose p, .differ h4, .differ li")].map(said);
  const { answer } = JSON.parse(button.closest(".turn").dataset.saved);
  for (const c of answer.citations) {
    lines.push(`[${c.marker}] ${[c.title, c.publisher, c.date].filter(Boolean).join(", ")}${/^https?:/.test(c.url ?? "") ? ` ${c.url}` : ""}`);
  }
  return lines.join("\n\n");
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button");
  if (!button) return;
  const { copy, copyText, link, whole } = button.dataset;
  if (copy) copied(button, answerText(button));
  else if (copyText) copied(button, copyText);
  else if (link) copied(button, `${location.origin}/?q=${encodeURIComponent(link)}`);
  else if (whole) open(whole, button);
});

const flat = (text) => text.replace(/\s+/g, " "); // HTML has one kind of line end

async function open(id, button) {
  const reply = await fetch(`/page/document?id=${encodeURIComponent(id)}`).catch(() => null);
  if (!reply?.ok) { button.innerText = t("It cannot be opened now"); return; }
  const found = await reply.json();
  const cards = [...document.querySelectorAll("#sources .card")].filter((card) => card.dataset.document === id);
  const spans = cards.map((card) => [Number(card.dataset.start), Number(card.dataset.end), card]).sort((a, b) => a[0] - b[0]);
  const text = $("#whole-text");
  text.replaceChildren();
  // Offsets count code points, as Python does; JavaScript counts pairs of surrogates as two.
  const points = [...found.text];
  let last = 0, wanted = null;
  for (const [start, end, card] of spans) {
    const quote = points.slice(start, end).join("");
    // The document may be another since the answer: only the quote itself is marked.
    if (start < last || flat(quote) !== flat($("blockquote mark", card).textContent)) continue;
    text.append(points.slice(last, start).join(""));
    const mark = Object.assign(document.createElement("mark"), { textContent: quote });
    text.append(mark);
    if (card.contains(button)) wanted = mark;
    last = end;
  }
  text.append(points.slice(last).join(""));
  $("#whole-title").textContent = found.title;
  $("#whole-from").textContent = [found.publisher, found.date].filter(Boolean).join(" · ");
  $("#whole").showModal();
  $("#whole-text").focus();
  (wanted ?? text).scrollIntoView({ block: "center" });
}

let told = null;
document.addEventListener("gapbot:turns", ({ detail }) => {
  const last = detail.at(-1);
  const key = last && `${detail.length} ${JSON.stringify(last)}`;
  if (told === key) return;
  told = key;
  if (!last) return;
  $("#announce").textContent = last.answer ? [last.answer.short, last.answer.text.replace(/\[\d+\]/g, "")].filter(Boolean).join(". ") : last.error ?? "";
  if (last.answer?.status === "answered") offer(detail);
});

async function offer(turns) {
  const question = turns.at(-1).answer.read_as ?? turns.at(-1).question;
  const reply = await fetch(`/page/next?q=${encodeURIComponent(question.slice(0, 1000))}`).catch(() => null);
  const asked = new Set(turns.flatMap((x) => [x.question, x.answer?.read_as]));
  const texts = reply?.ok ? (await reply.json()).questions.filter((q) => !asked.has(q)) : [];
  const place = $(`#turn-${turns.length} .next`);
  if (!place || !texts.length || told !== `${turns.length} ${JSON.stringify(turns.at(-1))}`) return;
  const label = Object.assign(document.createElement("p"), { className: "aside", textContent: t("Ask next") });
  place.replaceChildren(label, ...texts.map((text) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "choice", textContent: text });
    button.dataset.ask = text;
    return button;
  }));
  place.hidden = false;
}
