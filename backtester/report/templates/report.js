"use strict";
(function () {
  const types = {
    u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array,
  };
  function unpack(packed) {
    const text = atob(packed.bdata);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
    return new types[packed.dtype](bytes.buffer);
  }
  // A date axis wants milliseconds since 1970; the page holds steps since the first stamp.
  function milliseconds(stamps) {
    return Array.from(unpack(stamps.offset), (step) => stamps.base + step * stamps.unit);
  }
  // "@name" stands for the style sheet's colour of that name, so that light and dark both work.
  function tinted(value, key, style) {
    if (Array.isArray(value)) return value.map((item) => tinted(item, key, style));
    if (value !== null && typeof value === "object") {
      const out = {};
      for (const name of Object.keys(value)) out[name] = tinted(value[name], name, style);
      return out;
    }
    if (typeof value === "string" && value[0] === "@" && /color$/.test(key)) {
      return style.getPropertyValue("--" + value.slice(1)).trim();
    }
    return value;
  }
  function themed(layout, style) {
    const text = style.getPropertyValue("--text").trim();
    const grid = style.getPropertyValue("--grid").trim();
    const page = style.getPropertyValue("--page").trim();
    const out = Object.assign({}, layout, {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true,
      font: { color: text, size: 12, family: getComputedStyle(document.body).fontFamily },
    });
    out.modebar = {
      bgcolor: "rgba(0,0,0,0)", color: style.getPropertyValue("--muted").trim(), activecolor: text,
    };
    out.hoverlabel = Object.assign({ bgcolor: page, bordercolor: grid, font: { color: text } },
      layout.hoverlabel);
    for (const name of Object.keys(out)) {
      if (/^[xy]axis[0-9]*$/.test(name)) {
        out[name] = Object.assign({ gridcolor: grid, linecolor: grid, tickcolor: grid }, out[name]);
      }
    }
    return out;
  }
  const config = {
    responsive: true, displaylogo: false, displayModeBar: "hover", showLink: false,
    showTips: false, doubleClick: "reset",
    // Named one by one: the default bar has a button that sends the data to plotly's cloud.
    showSendToCloud: false, plotlyServerURL: "", modeBarButtons: [
      ["toImage"], ["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"],
    ],
    toImageButtonOptions: { format: "svg", filename: "figure" },
  };
  function prepare(place) {
    const source = document.getElementById(place.id + "-data");
    const figure = JSON.parse(source.textContent);
    for (const trace of figure.data) {
      if (trace.x && trace.x.offset) trace.x = milliseconds(trace.x);
    }
    return figure;
  }
  function draw(place, figure) {
    const style = getComputedStyle(document.documentElement);
    const data = figure.data.map((trace, i) => {
      const out = tinted(trace, "", style);
      if (figure.choice) out.visible = figure.choice[figure.selected][i];
      return out;
    });
    const layout = themed(tinted(figure.layout, "", style), style);
    layout.height = Number(place.dataset.height);
    return Plotly.react(place, data, layout, config);
  }
  function start(place) {
    const figure = prepare(place);
    draw(place, figure);
    const select = document.getElementById(place.id + "-choice");
    if (select) {
      select.addEventListener("change", () => {
        const before = figure.choice[figure.selected];
        figure.selected = select.selectedIndex;
        const after = figure.choice[figure.selected];
        const moved = after.map((_, i) => i).filter((i) => after[i] !== before[i]);
        if (moved.length) Plotly.restyle(place, { visible: moved.map((i) => after[i]) }, moved);
      });
    }
    return figure;
  }
  const drawn = new Map();
  for (const place of document.querySelectorAll(".plot")) {
    try {
      drawn.set(place, start(place));
      place.dataset.state = "drawn";
    } catch (error) {
      place.dataset.state = "failed";
      const line = document.createElement("p");
      line.className = "failed";
      line.textContent = "This plot could not be drawn (" + error.message + "); its numbers follow.";
      place.replaceChildren(line);
    }
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const [place, figure] of drawn) draw(place, figure);
  });
  addEventListener("beforeprint", () => {
    for (const place of drawn.keys()) Plotly.Plots.resize(place);
  });
})();
