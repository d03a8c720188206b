document.querySelector("#app")!.textContent = "posebus camera";
