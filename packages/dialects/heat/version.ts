/** Of the language, as it is written: Rocky, from which on all that is needed is there. */
export const VERSION = '2018-08-31';
