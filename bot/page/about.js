// Runs once, in the tab about the corpus: a topic opens the tab of facts with that topic chosen.
element.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-topic]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  document.dispatchEvent(new CustomEvent("gapbot-tab", { detail: { tab: "explore" } }));
  document.dispatchEvent(new CustomEvent("gapbot-explore", { detail: { topic: link.dataset.topic } }));
});
