import { testFaults } from '../helpers/fault-suite.ts';

testFaults('nodes');
