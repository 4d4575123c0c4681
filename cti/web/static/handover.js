export const OwnHandover = () => null;
export const Handover = () => null;
