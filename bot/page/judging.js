// Thumbs, a comment and "this is the right passage": sent to this server alone, which keeps them for the corpus's keeper.
import { newId } from "./storage.js";
import { t } from "./texts.js";

const given = new Map(); // an answer as it was saved → what was sent, so that a later word changes it and does not count twice
const LONGEST = 4000, EARLIER = 50; // of a quote in characters, of earlier questions: what the server takes

function judgement(turn) {
  const number = Number(turn.dataset.turn);
  const turns = [...document.querySelectorAll(".turn")].map((x) => JSON.parse(x.dataset.saved));
  const { question, answer } = turns[number - 1];
  const citations = answer.citations.map(({ document, start, end, quote }) => ({ document, start, end, quote: quote.slice(0, LONGEST) }));
  return {
    question, history: turns.slice(0, number - 1).map((x) => x.question).slice(-EARLIER), read_as: answer.read_as, status: answer.status,
    text: answer.text, short: answer.short, citations, generation: answer.generation,
  };
}

async function send(turn, change) {
  const key = turn.dataset.turn + turn.dataset.saved;
  const row = { id: newId(), ...given.get(key), ...judgement(turn), ...change };
  const reply = await fetch("/page/feedback", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(row) }).catch(() => null);
  const line = turn.querySelector(".judged") ?? turn.querySelector(".tools").appendChild(Object.assign(document.createElement("span"), { className: "judged" }));
  line.setAttribute("role", "status");
  if (reply?.ok) { given.set(key, row); line.textContent = t("Thank you: kept on this server alone."); }
  else line.textContent = reply?.status === 403 ? t("Feedback is not kept here.") : t("That could not be kept. Try again.");
  return reply?.ok;
}

// The chat is drawn anew with every turn: what has been said of an answer is shown again.
document.addEventListener("gapbot:turns", () => {
  for (const turn of document.querySelectorAll(".turn[data-saved]")) {
    const row = given.get(turn.dataset.turn + turn.dataset.saved);
    if (row) turn.querySelectorAll(".thumb").forEach((x) => x.setAttribute("aria-pressed", String(x.dataset.rate === row.rating)));
  }
});

document.addEventListener("click", async (event) => {
  const thumb = event.target.closest?.(".thumb");
  const right = event.target.closest?.("[data-right]");
  if (thumb) {
    const turn = thumb.closest(".turn");
    if (!(await send(turn, { rating: thumb.dataset.rate }))) return;
    turn.querySelectorAll(".thumb").forEach((x) => x.setAttribute("aria-pressed", String(x === thumb)));
    if (thumb.dataset.rate === "down") comment(turn);
    document.querySelectorAll(`#sources .panel[data-turn="${turn.dataset.turn}"] [data-right]`).forEach((x) => { x.hidden = false; });
  } else if (right) {
    const card = right.closest(".card"), turn = document.querySelector(`#turn-${right.dataset.right}`);
    const { document: id, start, end } = card.dataset;
    const passage = { document: id, start: Number(start), end: Number(end) };
    if (turn && (await send(turn, { right_passage: passage }))) right.innerText = t("Noted");
  }
});

function comment(turn) {
  if (turn.querySelector(".comment")) return;
  const form = Object.assign(document.createElement("form"), { className: "comment" });
  const field = Object.assign(document.createElement("input"), { maxLength: 2000, placeholder: t("What is wrong with it? (optional)") });
  field.setAttribute("aria-label", t("What is wrong with it? (optional)"));
  form.append(field, Object.assign(document.createElement("button"), { className: "tool", textContent: t("Send") }));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (field.value.trim() && (await send(turn, { comment: field.value.trim() }))) form.remove();
  });
  turn.querySelector(".tools").after(form);
  field.focus();
}
