export { doctorCommand, type DoctorSurroundings, runDoctor } from './command.ts';
