// What HTML and htmx do not do: dropping files, upload progress, layers over the image.
// Listeners sit on the document, so that they also serve what htmx puts in later.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);

  // ------------------------------------------------------------------ choosing and sending images

  function showChosen() {
    const files = [...byId("files").files];
    const names = files.slice(0, 3).map((file) => file.name).join(", ");
    const more = files.length > 3 ? ` and ${files.length - 3} more` : "";
    byId("chosen").textContent = files.length ? `${names}${more}` : "";
    byId("send").textContent = files.length > 1 ? `Send ${files.length} images` : "Send image";
    byId("send").disabled = files.length === 0;
  }

  function dropped(event) {
    const zone = event.target.closest("#drop-zone");
    if (!zone) return;
    if (event.dataTransfer.files.length) {
      byId("files").files = event.dataTransfer.files;
      showChosen();
      byId("send").focus();
    }
  }

  // A file dropped beside the zone must not make the browser leave the page.
  for (const name of ["dragover", "drop"]) {
    document.addEventListener(name, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      byId("drop-zone")?.classList.toggle(
        "over", name === "dragover" && Boolean(event.target.closest("#drop-zone")));
      if (name === "drop") dropped(event);
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) byId("drop-zone")?.classList.remove("over");
  });

  function showProgress(share) {
    const bar = byId("upload-progress");
    bar.hidden = share === null;
    if (share !== null) bar.value = share;
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.id !== "upload") return;
    byId("upload-result").replaceChildren();
    showProgress(0);
  });
  document.addEventListener("htmx:xhr:progress", (event) => {
    if (event.target.id === "upload" && event.detail.lengthComputable) {
      showProgress(event.detail.loaded / event.detail.total);
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target.id !== "upload") return;
    showProgress(null);
    if (event.detail.successful) {
      byId("files").value = "";
      showChosen();
    }
  });

  // ---------------------------------------------------------------------- when requests go wrong

  function say(place, text) {
    const line = document.createElement("p");
    line.className = "error";
    line.textContent = text;
    byId(place).replaceChildren(line);
  }

  document.addEventListener("htmx:sendError", (event) => {
    if (event.target.id === "upload") {
      say("upload-result", "The connection broke before the server answered. " +
        "Send the images again: what was accepted already is not analysed twice.");
    } else {
      say("notice", "Hilum does not answer. This page is tried again by itself.");
    }
  });
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.successful !== false && event.detail.xhr.status < 400) {
      byId("notice").replaceChildren();
    }
  });

  // ------------------------------------------------------------------------ layers over the image

  function showHeatmap(choice) {
    const image = byId("heatmap-image");
    const { href, display, colour } = choice.dataset;
    image.hidden = !href;
    if (href) {
      image.src = href;
      image.alt = `Heatmap of ${display}`;
    } else {
      image.removeAttribute("src");
      image.alt = "";
    }
    byId("heatmap-caption").textContent = href ? `Heatmap of ${display}` : "No heatmap";
    if (colour) byId("scale").setAttribute("color", colour);
    byId("opacity").disabled = !href;
    keepInAddress("heatmap", choice.value ? [choice.value] : []);
    showBoxes();
    fade();
  }

  function keepInAddress(name, values) {
    const address = new URL(location.href);
    address.searchParams.delete(name);
    for (const value of values) address.searchParams.append(name, value);
    history.replaceState(history.state, "", address);
  }

  function checked(name) {
    return [...document.querySelectorAll(`input[name="${name}"]:checked`)].map((box) => box.value);
  }

  // With a heatmap only the boxes of its finding, otherwise those of every finding. The legend
  // beside the image names what is drawn.
  function showBoxes() {
    const boxes = byId("boxes");
    if (!boxes) return;
    const [finding] = checked("heatmap");
    const off = checked("boxes").length === 0;
    boxes.toggleAttribute("hidden", off);
    const isOther = (part) => Boolean(finding) && part.dataset.finding !== finding;
    for (const group of boxes.querySelectorAll("g[data-finding]")) group.toggleAttribute("hidden", isOther(group));
    for (const entry of document.querySelectorAll("#legend [data-finding]")) {
      entry.hidden = off || isOther(entry);
    }
  }

  function showOutlines(choice) {
    const image = byId(`outlines-${choice.value}`);
    if (choice.checked && !image.getAttribute("src")) image.src = image.dataset.href;
    image.hidden = !choice.checked;
    for (const entry of document.querySelectorAll("#legend [data-outlines]")) {
      if (entry.dataset.outlines === choice.value) entry.hidden = !choice.checked;
    }
  }

  function fade() {
    const opacity = byId("opacity");
    if (opacity) byId("heatmap-image").style.opacity = String(opacity.value / 100);
  }

  document.addEventListener("change", (event) => {
    if (event.target.name === "heatmap") showHeatmap(event.target);
    if (event.target.name === "boxes") showBoxes();
    if (event.target.name === "outlines") showOutlines(event.target);
    if (["boxes", "outlines"].includes(event.target.name)) {
      keepInAddress(event.target.name, checked(event.target.name));
    }
    if (event.target.id === "files") showChosen();
  });
  document.addEventListener("input", (event) => {
    if (event.target.id === "opacity") fade();
  });
  document.addEventListener("error", (event) => {
    if (event.target.id === "heatmap-image" && event.target.getAttribute("src")) {
      byId("heatmap-caption").textContent = "The heatmap could not be loaded";
    }
  }, true);

  // ------------------------------------------------------------------------------- confirmations

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  if (byId("files")) showChosen();
  if (byId("heatmap-image")) fade();
})();
