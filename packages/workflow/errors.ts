import { defineErrors } from '@superfluidity/core';

export const workflowErrors = defineErrors({
  'SF-WORKFLOW-NOT-FOUND': {
    status: 404,
    title: 'There is no such workflow run',
    hint: 'Check the id; runs that ended long ago are removed.',
  },
  'SF-WORKFLOW-UNKNOWN': {
    status: 500,
    title: 'This version of the program does not have this workflow',
    hint: 'Run the version that started it until it has ended.',
  },
  'SF-WORKFLOW-CANCELLED': {
    status: 409,
    title: 'The run was cancelled before this step',
    hint: 'Start the operation again if it is still wanted.',
  },
  'SF-WORKFLOW-STOPPED': {
    status: 503,
    title: 'The workflow engine does not take work',
    hint: 'The server is starting or stopping; ask another one or try again.',
    transient: true,
  },
  'SF-WORKFLOW-LEASE-LOST': {
    status: 503,
    title: 'Another server took over the work of this one, which had not been heard of for too long',
    hint: 'Nothing to do: the other one goes on. Look at the load of this machine if it happens often.',
    transient: true,
  },
  'SF-WORKFLOW-GRAPH': {
    status: 400,
    title: 'The steps do not form a graph that can be executed',
    hint: 'Step ids must be unique, predecessors must exist, and there must be no cycle.',
  },
  'SF-WORKFLOW-ENDED-BADLY': {
    status: 500,
    title: 'The run could not be continued',
    hint: 'It was tried too often, or its code does not replay what it did before. See the server log.',
  },
});
