// Stands in for an optional dependency that is not wanted.
export default undefined;
