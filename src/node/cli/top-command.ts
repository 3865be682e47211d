/** `tenure top`: a view of a running service. It needs the inspector's server, which this version does not have. */
import { type Command, EXIT } from './command.js';

export const topCommand: Command = {
  usage: 'top URL',
  summary: 'Shows a running service; needs the inspector, which this version lacks.',
  help: '  URL   address of the inspector of a service',
  run(_args, terminal) {
    terminal.warn(
      'tenure top reads the state of a running service from its inspector. This version of tenure has no inspector yet. ' +
        'In the service, print formatReport(await watchdog.check()) and pool.stats().',
    );
    return EXIT.failed;
  },
};
