// Mark warnings that have expired since the page was made, so that a cached page never shows one as active.
(function () {
  function mark() {
    var now = Date.now();
    document.querySelectorAll("[data-expires]").forEach(function (card) {
      if (Date.parse(card.dataset.expires) <= now - Number(document.body.dataset.offset || 0)) card.classList.add("expired");
    });
  }
  mark();
  setInterval(mark, 15000);
  window.addEventListener("pageshow", function (event) { if (event.persisted) location.reload(); });
})();
