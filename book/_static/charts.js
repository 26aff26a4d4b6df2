/* Charts are static pictures until someone touches one; then Vega is fetched, once, from this site. */
(() => {
  const bundle = new URL("vega-bundle.js", document.currentScript.src);
  const phone = matchMedia("(max-width: 600px)");
  let loading;

  const load = () => loading ??= new Promise((done, failed) => {
    const script = Object.assign(document.createElement("script"), { src: bundle, onload: done, onerror: failed });
    document.head.append(script);
  }).catch(() => { loading = undefined; throw new Error(`${bundle} could not be read`); });

  // The same as vegalite.patched: configuration by its keys, parameters by their names, the rest as the patch has it.
  const patched = (spec, patch) => {
    const params = spec.params?.map((param) => patch.params?.find(({ name }) => name === param.name) ?? param);
    return { ...spec, ...patch, config: { ...spec.config, ...patch.config }, ...(params && { params }) };
  };

  const draw = async (chart) => {
    await load();
    const { spec, narrow } = JSON.parse(chart.querySelector("script").textContent);
    const host = Object.assign(document.createElement("div"), { className: "chart-live" });
    chart.append(host);
    const result = await vegaEmbed(host, phone.matches ? patched(spec, narrow) : spec,
      { actions: false, ast: true, mode: "vega-lite", renderer: "svg" });
    for (const mark of host.querySelectorAll("svg [role]")) {
      mark.removeAttribute("role");
      mark.removeAttribute("aria-roledescription");
    }
    const picture = host.querySelector("svg");
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", chart.dataset.alt);
    chart.dataset.live = "";
    return result;
  };

  const live = new WeakMap();
  const wake = (chart) => {
    if (!live.has(chart)) {
      live.set(chart, draw(chart).catch((error) => {
        live.delete(chart);
        chart.querySelector(".chart-live")?.remove();
        console.error(error);
      }));
    }
    return live.get(chart);
  };

  const pick = async (chart, select) => {
    const result = await wake(chart);
    if (result) result.view.signal(select.dataset.param, select.value).runAsync();
  };

  /* A chart drawn for a phone does not fit a desktop: go back to the picture when the width class changes. */
  const sleep = async (chart) => {
    const result = await live.get(chart);
    if (!result) return;
    result.finalize();
    chart.querySelector(".chart-live").remove();
    delete chart.dataset.live;
    live.delete(chart);
    const select = chart.querySelector("select");
    if (select && !select.selectedOptions[0].defaultSelected) pick(chart, select);
  };

  for (const chart of document.querySelectorAll("div.chart")) {
    const select = chart.querySelector("select");
    if (select) {
      select.parentElement.hidden = false;
      select.addEventListener("change", () => pick(chart, select));
      if (!select.selectedOptions[0]?.defaultSelected) pick(chart, select);
    }
    for (const event of ["pointerenter", "focusin", "touchstart"]) {
      chart.addEventListener(event, () => wake(chart), { passive: true });
    }
    phone.addEventListener("change", () => sleep(chart));
  }
})();
