import { createRegister } from "../promotion/register.ts";

/** Registers the run's model and moves the stage to it. */
export const createRegisterModel = createRegister;
