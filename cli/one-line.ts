// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** What came from elsewhere must not steer the terminal. */
export const harmless = (text: string): string => text.replaceAll(STEERING, '�')

/** Nor leave its line. */
export const oneLine = (text: string): string => harmless(text.trim().replaceAll(/\s+/g, ' '))
