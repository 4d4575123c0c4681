export const AgentDuty = () => null;
export const Requests = () => null;
