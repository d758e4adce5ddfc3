document.body.classList.add("js");
startViewer();
startPanel();
startDrawing();
startFilters();
startJudging();
// A page in a sandboxed frame leads nowhere by its own links.
document.querySelector(".skip").addEventListener("click", (event) => {
  const table = document.querySelector("#regions .scroll");
  event.preventDefault();
  table.scrollIntoView();
  table.focus({ preventScroll: true });
});
