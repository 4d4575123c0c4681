export const OwnFindings = () => null;
export const Findings = () => null;
