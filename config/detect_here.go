package config

import "os"

// Here returns the surroundings of the program itself: its variables, its working directory and the name of its machine.
func Here() Surroundings {
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "" // one hint less
	}
	return Surroundings{
		Lookup: os.LookupEnv,
		Exists: func(path string) bool {
			_, err := os.Stat(path)
			return err == nil
		},
		Hostname: hostname,
	}
}
