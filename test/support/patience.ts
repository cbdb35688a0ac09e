/**
 * How many times longer than promised everything may take: more than 1 only where other programs want the processor too.
 * `waitFor` and `AgentProcess.ready` multiply by it, and nobody who calls them does so again.
 */
export const patience = Number(process.env.FAULTS_PATIENCE ?? 1);
