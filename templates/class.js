/* Sorting and filtering. Everything can be read without it; what needs it appears only when it runs. */
"use strict";
(function () {
  function value(cell) {
    if (!cell) { return null; }
    var given = cell.getAttribute("data-v");
    var text = given !== null ? given : cell.textContent.trim();
    if (given === null && cell.tagName === "TD") {
      var found = text.match(/-?\d+(\.\d+)?/);
      if (found && /^\W*-?\d/.test(text)) { return parseFloat(found[0]); }
      if (text === "" || /^[–↻]/.test(text)) { return null; }
    } else if (given !== null) {
      return given === "" ? null : parseFloat(given);
    }
    return text;
  }

  function compare(a, b, way) {
    if (a === null || b === null) { return a === b ? 0 : a === null ? 1 : -1; }
    if (typeof a === "number" && typeof b === "number") { return way * (a - b); }
    return way * String(a).localeCompare(String(b), undefined, { numeric: true, sensitivity: "base" });
  }

  function sort(table, head, index) {
    var before = head.getAttribute("aria-sort");
    var body = table.tBodies[0];
    var rows = Array.prototype.map.call(body.rows, function (row) {
      return { row: row, key: value(row.cells[index]) };
    });
    var numbers = rows.some(function (entry) { return typeof entry.key === "number"; });
    var first = numbers ? "descending" : "ascending";
    var other = numbers ? "ascending" : "descending";
    var now = before === first ? other : first;
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (cell) { cell.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", now);
    rows.sort(function (a, b) { return compare(a.key, b.key, now === "ascending" ? 1 : -1); });
    var sorted = document.createDocumentFragment();
    rows.forEach(function (entry) { sorted.appendChild(entry.row); });
    body.appendChild(sorted);
  }

  document.querySelectorAll("table[data-sort]").forEach(function (table) {
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, index) {
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) { button.appendChild(head.firstChild); }
      head.appendChild(button);
      button.addEventListener("click", function () { sort(table, head, index); });
    });
  });

  document.querySelectorAll(".tools[data-for]").forEach(function (tools) {
    var table = document.getElementById(tools.getAttribute("data-for"));
    var input = tools.querySelector("input");
    var select = tools.querySelector("select");
    var output = tools.querySelector("output");
    var rows = Array.prototype.map.call(table.tBodies[0].rows, function (row) {
      var named = select ? row.cells[0].textContent : row.textContent;
      return { row: row, text: named.toLowerCase(), is: (row.getAttribute("data-is") || "").split(" ") };
    });
    function filter() {
      var word = input.value.trim().toLowerCase();
      var wanted = select ? select.value : "";
      var shown = 0;
      rows.forEach(function (entry) {
        var keep = entry.text.indexOf(word) >= 0 && (!wanted || entry.is.indexOf(wanted) >= 0);
        entry.row.hidden = !keep;
        shown += keep ? 1 : 0;
      });
      output.textContent = word || wanted ? shown + " of " + rows.length + " shown" : "";
    }
    input.addEventListener("input", filter);
    if (select) { select.addEventListener("change", filter); }
    tools.hidden = false;
  });
}());
