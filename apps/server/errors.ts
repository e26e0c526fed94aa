import { defineErrors } from '@superfluidity/core';

export const serverErrors = defineErrors({
  'SF-SERVER-OPTION': {
    status: 400,
    title: 'The server was started with an option that it does not understand',
    hint: 'See `superfluidity server --help`.',
  },
  'SF-SERVER-PORT-IN-USE': {
    status: 500,
    title: 'The port is in use',
    hint: 'Choose another one with --port, or stop the program that has it (`ss -ltnp` names it).',
  },
  'SF-SERVER-ADDRESS': {
    status: 500,
    title: 'The server cannot listen on this address',
    hint: 'Use an address of this machine with --host; ports below 1024 need privileges.',
  },
  'SF-SERVER-STATE-LOCKED': {
    status: 500,
    title: 'Another server uses this state folder',
    hint: 'Stop that one, or give this one a folder of its own with --state.',
  },
  'SF-SERVER-STATE-UNUSABLE': {
    status: 500,
    title: 'The state folder cannot be written',
    hint: 'Check its owner, its permissions and the free space, or choose another one with --state.',
  },
  'SF-SERVER-NO-ROUTE': {
    status: 404,
    title: 'There is nothing at this address',
    hint: 'The routes are listed in /api/v1/openapi.json.',
  },
  'SF-SERVER-REQUEST': {
    status: 400,
    title: 'The request is not as the API defines it',
    hint: 'The data of this error name each field that is wrong; compare with /api/v1/openapi.json.',
  },
  'SF-SERVER-TOO-LARGE': {
    status: 413,
    title: 'The request is too large',
    hint: 'A request has at most 60 MB. Leave out files that the descriptor does not need.',
  },
  'SF-SERVER-RATE': {
    status: 429,
    title: 'Too many requests of this user',
    hint: 'Wait for as long as the header Retry-After says.',
    transient: true,
  },
  'SF-SERVER-STREAMS': {
    status: 503,
    title: 'Too many streams are open',
    hint: 'Close some of them, such as pages of the console that are not looked at.',
    transient: true,
  },
  'SF-SERVER-TERMINALS-OFF': {
    status: 403,
    title: 'This server opens no terminals',
    hint: 'It was started with --no-terminals. Read what units print with `superfluidity service logs NAME UNIT`.',
  },
  'SF-SERVER-TERMINALS': {
    status: 503,
    title: 'Too many terminals are open',
    hint: 'Close one of them.',
    transient: true,
  },
  'SF-SERVER-TERMINAL-GONE': {
    status: 410,
    title: 'The terminal is over',
    hint: 'Open another one. One whose connection was lost waits for half a minute.',
  },
  'SF-SERVER-ORIGIN': {
    status: 403,
    title: 'A page of another origin asked for a terminal',
    hint: 'Open it from the console of this server. A proxy in between has to pass the header Host on.',
  },
  'SF-SERVER-REPLY': {
    status: 500,
    title: 'The server made an answer that the API does not allow',
    hint: 'This is a defect. Please report it with the server log around this time.',
  },
});
