// Keep the page true: fetch it anew while it is looked at, and mark what has ended since it was made.
// Without a connection say so. The server's clock counts; the reader's only as long as nothing else is known.
(function () {
  var EVERY_MS = 60000, OLD_MS = 35000, skew = 0, asked = 0;
  function now() { return Date.now() + skew - Number(document.body.dataset.offset || 0); }
  function old() { return now() - Date.parse(document.body.dataset.made); }
  function mark() {
    document.querySelectorAll("[data-expires]").forEach(function (card) {
      if (card.classList.contains("expired") || Date.parse(card.dataset.expires) > now()) return;
      var chip = card.querySelector(".chip");
      card.classList.add("expired");
      if (chip) { chip.className = "chip plain"; chip.textContent = card.dataset.over; }
    });
  }
  function stale(yes) {
    var line = document.getElementById("stale");
    if (line) line.hidden = !yes;
  }
  function swap(text) {
    var fresh = new DOMParser().parseFromString(text, "text/html"), main = fresh.getElementById("main");
    var held = document.activeElement && document.activeElement.closest("form");
    if (!main || held) return;
    var open = document.querySelector("details.map[open]");
    document.getElementById("main").replaceWith(main);
    if (open && main.querySelector("details.map")) main.querySelector("details.map").open = true;
    [".asof", "footer"].forEach(function (part) {
      var a = document.querySelector(part), b = fresh.querySelector(part);
      if (a && b) a.replaceWith(b);
    });
    document.body.dataset.made = fresh.body.dataset.made;
    document.body.dataset.offset = fresh.body.dataset.offset;
  }
  function renew() {
    if (document.visibilityState === "hidden" || Date.now() - asked < 5000) return;
    asked = Date.now();
    fetch(location.href, { cache: "no-store" }).then(function (answer) {
      if (!answer.ok) throw new Error(String(answer.status));
      var at = Date.parse(answer.headers.get("date"));
      if (at) skew = at - Date.now();
      return answer.text();
    }).then(function (text) { swap(text); stale(false); mark(); }, function () { stale(old() > OLD_MS); mark(); });
  }
  function look() {
    if (old() > OLD_MS || document.querySelector(".expired")) renew();
  }
  mark();
  look();
  setInterval(mark, 15000);
  setInterval(renew, EVERY_MS);
  document.addEventListener("visibilitychange", look);
  addEventListener("online", renew);
  addEventListener("pageshow", function (event) { if (event.persisted) { mark(); renew(); } });
})();
