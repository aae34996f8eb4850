// Runs once, in the sources panel. The server sends the sources of each new answer; they are kept here by turn,
// so that a marker of an older answer brings its sources back; those of a chat shown again are asked for.
const kept = new Map();
let opened = null;
let awaited = null;

const keep = () => {
  const panel = element.querySelector(".panel");
  if (!panel) return;
  if (panel.dataset.turn === "0") kept.clear();
  else kept.set(panel.dataset.turn, props.value);
  document.querySelectorAll("a.cite.active").forEach((a) => a.classList.remove("active"));
  if (awaited?.turn === panel.dataset.turn) {
    const { turn, name, byKeyboard } = awaited;
    awaited = null;
    show(turn, name, byKeyboard);
  }
};
watch("value", keep);

// A turn that is another now (another chat was opened, a question edited) has other sources than those kept for it.
let drawn = [];
document.addEventListener("gapbot:turns", ({ detail }) => {
  const now = detail.map((turn) => JSON.stringify(turn));
  for (let i = 0; i < Math.max(drawn.length, now.length); i++) {
    if (drawn[i] !== undefined && drawn[i] !== now[i]) kept.delete(String(i + 1));
  }
  drawn = now;
});

function show(turn, name, byKeyboard) {
  if (element.querySelector(".panel")?.dataset.turn !== turn) {
    if (!kept.has(turn)) {
      awaited = { turn, name, byKeyboard };
      return trigger("select", { turn: Number(turn) });
    }
    props.value = kept.get(turn);
  }
  // The panel is drawn anew in a microtask: wait until it stands.
  setTimeout(() => {
    element.querySelectorAll(".card.active").forEach((c) => { c.classList.remove("active"); c.removeAttribute("aria-current"); });
    document.querySelectorAll("a.cite.active, a.near.active").forEach((a) => a.classList.remove("active"));
    const card = name ? document.getElementById(name) : null;
    const target = card ?? element.querySelector(".panel");
    if (card) {
      card.classList.add("active");
      card.setAttribute("aria-current", "true");
      document.querySelectorAll(`#transcript a[href="#${name}"]`).forEach((a) => a.classList.add("active"));
      card.focus({ preventScroll: true, focusVisible: byKeyboard });
    }
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    target.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
  }, 0);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#cite-"]');
  const all = event.target.closest?.("button[data-sources]");
  const back = event.target.closest?.("button[data-back]");
  if (link) {
    event.preventDefault();
    opened = link;
    const name = link.getAttribute("href").slice(1);
    show(name.split("-")[1], name, event.detail === 0);
  } else if (all) {
    opened = all;
    show(all.dataset.sources, null, event.detail === 0);
  } else if (back) {
    goBack(back.dataset.back);
  }
});

function goBack(name) {
  const link = opened?.isConnected ? opened : document.querySelector(`#transcript a[href="#${name}"]`);
  link?.scrollIntoView({ block: "center" });
  link?.focus({ preventScroll: true, focusVisible: true });
}

element.addEventListener("keydown", (event) => {
  if (event.key === "Escape") goBack(event.target.closest(".card")?.id);
});
