// The version that the edge tells its clients; a test holds it to the package's.

export const VERSION = '0.1.0';
