/** What went wrong and what to do next, in words for the person at the terminal; shown without a stack trace. */
export class Failure extends Error {}
