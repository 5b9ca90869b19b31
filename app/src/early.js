// Until the page lives (its WebAssembly is fetched and started), what a reader presses and fills in
// is kept, and done once it does: nothing that looks ready is deaf, and no form is sent by itself.
{
  let pressed;
  const keep = (event) => {
    // A button that sends a form is heard of by its form.
    const target = event.type === "submit" ? event.target : event.target.closest("button[type=button]");
    if (!target) return;
    event.preventDefault();
    pressed = target;
  };
  const filled = () =>
    [...document.querySelectorAll("input, textarea")].filter(
      (field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked,
    );
  addEventListener("click", keep, true);
  addEventListener("submit", keep, true);
  addEventListener("hydrating", () => {
    const was = filled().map((field) => [field, field.value, field.checked]);
    addEventListener(
      "hydrated",
      () => {
        removeEventListener("click", keep, true);
        removeEventListener("submit", keep, true);
        for (const [field, value, checked] of was) {
          field.value = value;
          field.checked = checked;
          for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
        }
        if (!pressed?.isConnected) return;
        if (pressed instanceof HTMLFormElement) pressed.requestSubmit();
        else pressed.click();
      },
      { once: true },
    );
  }, { once: true });
}
