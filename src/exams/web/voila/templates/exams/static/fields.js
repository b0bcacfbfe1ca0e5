// The contract's words for its fields, as published.

/** Return the fields of a role (dimension, score, overall) in contract order. */
export const fieldsOf = (tables, role) =>
  (tables.field ?? []).filter((field) => field.role === role)
    .sort((a, b) => a.position - b.position);

/** Return a field by name. */
export const fieldOf = (tables, name) => (tables.field ?? []).find((f) => f.name === name);

/** Return the title of a field; its name where the contract has none. */
export const titleOf = (tables, name) => fieldOf(tables, name)?.title || name;
