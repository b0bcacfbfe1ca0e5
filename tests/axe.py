"""What axe-core finds wrong with a page for people who see, hear or move otherwise."""

from axe_playwright_python.base import AXE_SCRIPT

# The one rule that is off: WCAG's level AAA wants 7:1, the dashboard keeps AA (4.5:1), by the rule
# color-contrast. Every other rule is on, those for best practice and the experimental ones, too.
LEFT_OUT = {"color-contrast-enhanced"}
RUN = """async (leftOut) => {
  const rules = axe.getRules().map(({ruleId}) => ruleId).filter((id) => !leftOut.includes(id));
  const found = await axe.run(document, {
    runOnly: {type: "rule", values: rules}, resultTypes: ["violations"],
  });
  const line = (rule, {target, any}) =>
    [rule.id, rule.impact, target.join(" "), any[0]?.message ?? ""].join(" | ");
  return found.violations.flatMap((rule) => rule.nodes.map((node) => line(rule, node)));
}"""


def violations(page) -> list[str]:
    """Return a line for each element that breaks a rule: rule, impact, where, why."""
    page.evaluate(f"window.axe || (() => {{ {AXE_SCRIPT} }})()")
    return page.evaluate(RUN, sorted(LEFT_OUT))
