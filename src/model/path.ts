/** Steps into a value: keys and indexes. */
export type Path = readonly (string | number)[]
