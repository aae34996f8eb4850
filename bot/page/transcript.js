// Runs once, in the transcript: `element` is its root, `trigger` reports an event to the server, `watch` follows values.
// The rest of the page hears of the chat by the events gapbot:ready and gapbot:turns, and asks by gapbot:ask.
const box = () => document.querySelector("#question textarea");
const busy = () => element.querySelector(".turn.asking") !== null;
const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
const MOST = 8000;

// The pressed button goes away with the next answer; on a touch screen the focus would bring up the keyboard.
const focusBox = () => { if (matchMedia("(hover: hover)").matches) box()?.focus({ preventScroll: true }); };
document.addEventListener("click", (event) => { if (event.target.closest?.("#new, #stop")) focusBox(); });

// Gradio drops what is asked between the last step of an answer and its end, and empties the box even where its connection
// has just broken. A question is asked again until it stands in the chat, with its place among the turns, so that it is
// never asked twice; one that does not arrive stands in the box at last, and the page says so.
const PATIENCE = 6000;
let insisting = 0, drawings = 0, missed = null;
function insist(detail) {
  forgo();
  tell(""); // of what was asked before
  missed = detail.question ?? null;
  const seen = drawings, end = performance.now() + PATIENCE;
  let pause = 200;
  const again = () => {
    const taken = missed === null && (detail.question || drawings !== seen);
    if (taken || document.querySelector("#message .problem")) return;
    const left = end - performance.now();
    if (left <= 0) return giveBack();
    trigger("select", placed(detail));
    pause *= 2;
    insisting = setTimeout(again, Math.min(pause, left));
  };
  insisting = setTimeout(again, pause);
}
function forgo() {
  clearTimeout(insisting);
  missed = null;
}
document.addEventListener("click", (event) => { if (event.target.closest?.("#new")) forgo(); }, true);
const placed = (detail) => (detail.question ? { at: turns + 1, ...detail } : detail);
function send(detail) {
  trigger("select", placed(detail));
  if (!("restore" in detail)) insist(detail);
}

// What another part of the page asks while an answer is under way waits for its end.
let waiting = null;
document.addEventListener("gapbot:ask", (event) => { if (busy()) waiting = event.detail; else send(event.detail); });

// Starter questions, choices and "Try again" ask at once; while an answer is under way they wait.
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || busy()) return;
  const { ask, retry, asTyped, edit } = button.dataset;
  if (ask) send({ question: ask });
  else if (retry) send({ retry: true });
  else if (asTyped) send({ question: asked(asTyped), as_typed: true, at: Number(asTyped) });
  else if (edit) return editing(button.closest(".turn"), Number(edit));
  else return;
  focusBox();
});

const asked = (number) => element.querySelector(`#turn-${number} .asked`).textContent;

// The question becomes a field in its place; what came after it goes when the new one is asked.
function editing(turn, number) {
  if (turn.querySelector(".editing")) return turn.querySelector(".editing").focus();
  const shown = turn.querySelector(".question");
  const field = document.createElement("textarea");
  field.className = "editing";
  field.value = asked(number);
  field.rows = Math.min(6, 1 + Math.floor(field.value.length / 60));
  field.setAttribute("aria-label", turn.querySelector("[data-edit]").textContent);
  const button = (text, press) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "tool", textContent: text });
    made.dataset.t = text; // put into the language of the page by texts.js
    made.addEventListener("click", press);
    return made;
  };
  // The field stays until the question is taken, and the chat drawn anew: one that is refused can be mended.
  const askAnew = () => { if (!busy() && field.value.trim()) send({ question: field.value, at: number }); };
  const end = () => { field.remove(); buttons.remove(); shown.hidden = false; turn.querySelector("[data-edit]").focus(); };
  const buttons = Object.assign(document.createElement("p"), { className: "editing-tools" });
  buttons.append(button("Ask", askAnew), button("Cancel", end));
  shown.hidden = true;
  shown.after(field, buttons);
  field.focus();
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") end();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); askAnew(); }
  });
}

// A new question is brought to the top of the view, so that its answer is read from the start.
let turns = 0;
function drawn() {
  const all = [...element.querySelectorAll(".turn")];
  document.body.classList.toggle("chatting", all.length > 0);
  if (all.length > turns) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    requestAnimationFrame(() => all[all.length - 1].scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" }));
  }
  turns = all.length;
  if (waiting && !busy()) { send(waiting); waiting = null; }
  if (!busy()) say("gapbot:turns", all.map((turn) => JSON.parse(turn.dataset.saved)));
}
watch("value", () => { drawings += 1; found(); drawn(); });
say("gapbot:ready");

function tell(text) {
  const line = document.querySelector("#message p");
  if (!line || (!text && line.className === "hint")) return;
  line.className = text ? "problem" : "";
  text ? line.setAttribute("role", "alert") : line.removeAttribute("role");
  line.textContent = text;
}
function fill(text) {
  box().value = text;
  box().dispatchEvent(new Event("input", { bubbles: true }));
}
function giveBack() {
  if (missed !== null && !box().value) fill(missed);
  const back = missed !== null && box().value === missed;
  tell(`The question did not reach the server. ${back ? "It stands in the box again." : "Try again."}`);
}
// It may come late: then it stands above, and neither in the box nor in a message.
const bare = (text) => text.replace(/[\s\p{C}]+/gu, "");
function found() {
  const asked = [...element.querySelectorAll(".turn .asked")].at(-1);
  if (missed === null || !asked || bare(asked.textContent) !== bare(missed)) return;
  if (box().value === missed) fill("");
  missed = null;
  tell("");
}
function sent() {
  const question = box()?.value ?? "";
  if (question.trim() && !busy()) insist({ question });
}
document.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target === box()) sent(); }, true);
document.addEventListener("click", (event) => { if (event.target.closest?.("#ask")) sent(); }, true);

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey && !document.querySelector("dialog[open]")) {
    event.preventDefault();
    box()?.focus();
  }
});

// Enter that confirms a word of an input method (Vietnamese, Japanese) must not send the question.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.isComposing && event.target === box()) event.stopPropagation();
}, true);

// On a phone the line of messages stands above the question box, which grows with its text.
const composer = document.getElementById("composer");
if (composer) new ResizeObserver(() => document.documentElement.style.setProperty("--composer", `${composer.offsetHeight}px`)).observe(composer);

document.addEventListener("input", (event) => {
  if (event.target !== box()) return;
  const count = event.target.value.length;
  const line = document.querySelector("#message .count");
  if (!line) return;
  line.textContent = count > MOST * 0.9 ? `${count.toLocaleString("en")} of ${MOST.toLocaleString("en")} characters` : "";
  line.classList.toggle("over", count > MOST);
});
