// Runs before the page is drawn (a classic script in <head>), so that no page flashes in the wrong colours.
(() => {
  try {
    const chosen = localStorage.getItem("twocan.theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage may be blocked: the system's preference holds.
  }
})();
