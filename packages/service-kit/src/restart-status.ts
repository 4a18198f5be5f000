/** Exit status of a service that wants to be started again (EX_TEMPFAIL). On its own, for supervisors that are no service. */
export const RESTART_STATUS = 75;
