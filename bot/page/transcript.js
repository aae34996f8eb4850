// Runs once, in the transcript: `element` is its root, `trigger` reports an event to the server, `watch` follows values.
const box = () => document.querySelector("#question textarea");
const busy = () => element.querySelector(".turn.asking") !== null;
const MOST = 8000;

// The pressed button goes away with the next answer; on a touch screen the focus would bring up the keyboard.
const focusBox = () => { if (matchMedia("(hover: hover)").matches) box()?.focus({ preventScroll: true }); };
document.addEventListener("click", (event) => { if (event.target.closest?.("#new, #stop")) focusBox(); });

// Starter questions, choices and "Try again" ask at once; while an answer is under way they wait.
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-ask], button[data-retry], button[data-copy]");
  if (!button) return;
  if (button.dataset.copy) return copy(button);
  if (busy()) return;
  focusBox();
  trigger("select", button.dataset.ask ? { question: button.dataset.ask } : { retry: true });
});

async function copy(button) {
  const answer = button.closest(".answer");
  const lines = [...answer.querySelectorAll(".short, .prose p")].map((p) => p.innerText.trim());
  for (const card of document.querySelectorAll(`#sources .panel[data-turn="${button.dataset.copy}"] .card`)) {
    const link = card.querySelector("a.out");
    lines.push(`[${card.querySelector(".number").innerText}] ${card.querySelector("h4").innerText}, ` +
      `${card.querySelector(".from").innerText}${link ? " " + link.href : ""}`);
  }
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(lines.join("\n\n"));
  } catch {
    said = "Copying is blocked here";
  }
  button.innerText = said;
  setTimeout(() => { button.innerText = "Copy"; }, 1600);
}

// A new question is brought to the top of the view, so that its answer is read from the start.
let turns = 0;
watch("value", () => {
  const all = element.querySelectorAll(".turn");
  document.body.classList.toggle("chatting", all.length > 0);
  if (all.length > turns) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    requestAnimationFrame(() => all[all.length - 1].scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" }));
  }
  turns = all.length;
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box()?.focus();
  }
});

// Enter that confirms a word of an input method (Vietnamese, Japanese) must not send the question.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.isComposing && event.target === box()) event.stopPropagation();
}, true);

document.addEventListener("input", (event) => {
  if (event.target !== box()) return;
  const count = event.target.value.length;
  const line = document.querySelector("#message .count");
  if (!line) return;
  line.textContent = count > MOST * 0.9 ? `${count.toLocaleString("en")} of ${MOST.toLocaleString("en")} characters` : "";
  line.classList.toggle("over", count > MOST);
});
